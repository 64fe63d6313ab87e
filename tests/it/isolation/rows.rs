//! Rows that the world of the tests has none of, for each organisation.

use uuid::Uuid;

pub fn alerting(organization: Uuid, account: Uuid) -> [String; 4] {
    [
        format!("INSERT INTO alert_counts VALUES ('{organization}', 'lockouts', sha256('x'), 1, 1, now(), now())"),
        format!("INSERT INTO alert_mutes VALUES ('{organization}', 'lockouts', now() + interval '1 day', NULL, now())"),
        format!("INSERT INTO alert_preferences VALUES ('{organization}', '{account}', 'off', 'low', true, now())"),
        format!("INSERT INTO alert_digests VALUES ('{organization}', '{account}', now())"),
    ]
}

pub fn grant(organization: Uuid, membership: Uuid) -> String {
    format!(
        "INSERT INTO custom_role_grants (id, organization_id, custom_role_id, membership_id)
         SELECT gen_random_uuid(), '{organization}', id, '{membership}' FROM custom_roles
         WHERE organization_id = '{organization}' LIMIT 1"
    )
}

pub fn event_type(organization: Uuid) -> String {
    let rest = "'product.x', 'X', 'X', 'low', 'security', 'x', '[]', now(), now()";
    format!("INSERT INTO product_event_types VALUES (gen_random_uuid(), '{organization}', {rest})")
}

pub fn seal(organization: Uuid) -> String {
    format!(
        "INSERT INTO audit_seals (organization_id, sequence, entry_id, hash)
         VALUES ('{organization}', 1, gen_random_uuid(), sha256('x'))"
    )
}

pub fn checkpoint(organization: Uuid) -> String {
    format!(
        "INSERT INTO audit_checkpoints (organization_id, number, sequence, sealed_at, jws)
         VALUES ('{organization}', 1, 1, now(), 'x')"
    )
}

pub fn sign_up_request(organization: Uuid) -> String {
    format!(
        "INSERT INTO sign_up_requests (id, organization_id, email, name, address_tag, status, created_at, expires_at)
         VALUES (gen_random_uuid(), '{organization}', 'x', 'x', sha256(gen_random_uuid()::text::bytea), 'pending', now(), now())"
    )
}

pub fn factor_count(organization: Uuid) -> String {
    format!("INSERT INTO second_factor_counts VALUES ('{organization}', now(), 'member', 1, 0, '{{}}', now())")
}
