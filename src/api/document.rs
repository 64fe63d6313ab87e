//! What the contract says beyond its types: each operation's line of the registry, what the ids in paths mean, and an
//! example of each body.

use serde_json::{Value, json};

use crate::authz::Registry;

/// What the path parameters mean, the same in every operation.
const PARAMETERS: &[(&str, &str)] = &[
    ("account_id", "The account."),
    ("alert_id", "The alert."),
    ("alert_rule_id", "The alert rule of the organisation's own."),
    ("api_key_id", "The key; not the secret itself."),
    ("attribute_id", "The profile attribute."),
    ("code", "The code of an event type of the product's own."),
    ("custom_role_id", "The role of the organisation's own."),
    ("data_key_id", "The data key."),
    ("device_id", "The known device."),
    ("entry_id", "The entry of the record."),
    ("import_id", "The import."),
    ("invitation_id", "The invitation."),
    ("job_name", "The job's name."),
    ("key_rotation_id", "The rotation."),
    ("legal_hold_id", "The hold."),
    ("member_id", "The membership; not the account."),
    ("organization_id", "The organisation. The session must be in it."),
    ("passkey_id", "The passkey."),
    ("recovery_id", "The recovery that waits for an administrator."),
    ("rule", "The name of an alert rule of the installation's, or the id of one of the organisation's own."),
    ("run_id", "The run of a job."),
    ("scope", "The scope of a data key, such as `pii`."),
    ("service_account_id", "The service account."),
    ("session_id", "The session."),
    ("sign_up_request_id", "Who waits to be let in."),
    ("team_id", "The team."),
];

/// An example of the body that an operation takes.
pub(super) fn example(operation: &str) -> Option<Value> {
    let password = "Correct-horse-battery-7";
    let token = "fhi_AaH8ZM-mc0SLWQVeaOZAzPt4iW5ebo294VGW9lcPPBXcin_JOIaBI8ZHoqr_BOPL";
    let sign_up_token = "fhu_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM";
    let email_token = "fhe_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM";
    let reset = "fhp_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM";
    Some(match operation {
        "accounts_block" | "managed_accounts_block" => json!({"reason": "Reported as lost on 3 May"}),
        "accounts_manager_update" => json!({"organization_id": "01a1fc64-cfa6-7344-8b59-055e68e640cc"}),
        "acting_start" => json!({"reason": "Ticket 4711: the invitations do not arrive"}),
        "email_changes_complete" | "email_verifications_complete" => json!({"token": email_token}),
        "attributes_create" => json!({
            "key": "cost_center", "label": "Cost centre", "description": "Where the hours are booked", "type": "text",
            "required": true, "visible_to": "person_and_managers", "editable_by": "managers", "searchable": true,
        }),
        "attributes_update" => json!({"label": "Cost centre", "description": null, "position": 0}),
        "accounts_export" | "members_export" => json!({"format": "csv"}),
        "custom_roles_create" => json!({
            "name": "Reception", "description": "Asks people in", "permissions": ["members_list", "invitations_create"],
        }),
        "custom_roles_update" => json!({"description": null, "permissions": ["members_list"]}),
        "imports_create" => json!({"content": "ZW1haWwKZ3JhY2VAZXhhbXBsZS5jb20K", "format": "csv"}),
        "imports_parts_add" => json!({"offset": 24, "content": "am9hbkBleGFtcGxlLmNvbQo="}),
        "imports_start" => json!({"dry_run": true}),
        "invitations_accept" => {
            json!({"token": token, "name": "Grace", "password": password, "token_delivery": "body"})
        }
        "invitations_create" => {
            let teams = ["01a1fc64-cfa6-7344-8b59-055e68e640d1"];
            json!({"email": "grace@example.com", "role": "member", "team_ids": teams, "message": "Welcome to the team"})
        }
        "invitations_create_bulk" => json!({"invitations": [
            {"email": "grace@example.com", "role": "member"},
            {"email": "joan@example.com", "role": "manager"},
        ]}),
        "invitations_lookup" | "me_invitations_accept" => json!({"token": token}),
        "key_rotations_create" => json!({"scope": "pii"}),
        "me_email_change_create" => json!({"email": "grace@example.net"}),
        "me_attributes_update" => json!({"attributes": {"emergency_phone": "+4930123456", "birthday": null}}),
        "member_attributes_update" => {
            json!({"attributes": {"cost_center": "4711", "shift_hours": 7.5, "remote": true}})
        }
        "me_update" => json!({"name": "Grace"}),
        "members_update" => json!({"role": "manager", "custom_role_ids": ["01a1fc64-cfa6-7344-8b59-055e68e640d7"]}),
        "organizations_create" => json!({"name": "Example Works", "slug": "example-works"}),
        "organization_settings_update" => {
            json!({"passwords": {"minimum_length": 16}, "invitations": {"allowed_domains": ["example.com"]}})
        }
        "organization_sessions_end" | "tenant_sessions_end" | "sessions_end_everybodys" => {
            json!({"keep_current": true})
        }
        "organizations_update" => json!({"name": "Example Works International"}),
        "settings_update" => json!({"sessions": {"lifetime_minutes": 720, "idle_minutes": null}}),
        "sessions_second_factor" => {
            let challenge = "fhc_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM";
            json!({"challenge": challenge, "second_factor": {"method": "totp", "code": "492039"}})
        }
        "totp_confirm" => json!({"code": "492039"}),
        "session_reauthenticate" => json!({"password": password}),
        "session_switch" => json!({"organization_id": "01a1fc64-cfa6-7344-8b59-055e68e640cc"}),
        "password_check" => json!({"password": password}),
        "password_resets_complete" => json!({"token": reset, "password": password}),
        "password_resets_create" => json!({"email": "grace@example.com"}),
        "password_resets_lookup" => json!({"token": reset}),
        "password_update" => json!({"current_password": "Granite-orchard-47", "password": password}),
        "passwords_check" => json!({"token": token, "password": password, "name": "Grace"}),
        "sessions_create" => json!({"email": "grace@example.com", "password": password, "token_delivery": "body"}),
        "sessions_refresh" => json!({"refresh_token": "fhr_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM"}),
        "setup_create" => json!({
            "token": "fhs_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM",
            "email": "ada@example.com",
            "name": "Ada",
            "password": password,
            "token_delivery": "body",
        }),
        "signing_keys_rotate" => json!({"previous": "keep", "reason": "Before the audit"}),
        "sign_up_requests_reject" => json!({"reason": "We do not know you: ask your manager to invite you"}),
        "sign_ups_create" => json!({"email": "grace@example.com", "organization": "example-works"}),
        "sign_ups_lookup" => json!({"token": sign_up_token}),
        "sign_ups_verify" => {
            json!({"token": sign_up_token, "name": "Grace", "password": password, "token_delivery": "body"})
        }
        "api_keys_create" => json!({
            "name": "Production", "expires_at": "2099-12-31T00:00:00Z", "allowed_networks": ["192.0.2.0/24"],
        }),
        "oauth_introspect" | "oauth_revoke" => json!({
            "token": "fhr_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM", "token_type_hint": "refresh_token",
        }),
        "service_accounts_create" => json!({
            "name": "Shift planner", "description": "Reads who is in which team", "role": "manager",
        }),
        "service_accounts_update" => json!({"description": null, "role": "auditor"}),
        "teams_create" => json!({
            "name": "Night shift", "description": "Who is on call from ten to six", "role": "manager",
        }),
        "teams_update" => json!({"description": null, "role": "auditor"}),
        _ => {
            let others = about_decisions(operation).or_else(|| about_alerts(operation));
            return others.or_else(|| about_factors(operation)).or_else(|| about_recovery(operation));
        }
    })
}

fn about_factors(operation: &str) -> Option<Value> {
    let (id, client) = ("9tLcD3Jg0SFpAYKcLkp7xA", "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0");
    let credential = |response: Value| json!({"id": id, "rawId": id, "type": "public-key", "response": response});
    let signed = credential(json!({
        "clientDataJSON": client, "authenticatorData": "SZYN5YgOjGh0NBcPZHZgW4", "signature": "MEUCIQDz", "userHandle": "AZ",
    }));
    let challenge = "fhc_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM";
    Some(match operation {
        "passkeys_register" => {
            let made = credential(json!({"clientDataJSON": client, "attestationObject": "o2NmbXRkbm9uZQ"}));
            json!({"name": "Notebook", "credential": made})
        }
        "email_codes_confirm" => json!({"code": "204816"}),
        "sessions_second_factor_email_code" => json!({"challenge": challenge}),
        "passkeys_rename" => json!({"name": "Key ring"}),
        "sessions_passkey_begin" => json!({"token_delivery": "body"}),
        "sessions_passkey" => {
            json!({"ceremony": "fhw_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM", "credential": signed})
        }
        "sessions_second_factor_passkey_begin" => json!({"challenge": challenge}),
        "sessions_second_factor_passkey" => json!({"challenge": challenge, "credential": signed}),
        "session_reauthenticate_passkey" => json!({"credential": signed}),
        _ => return None,
    })
}

fn about_recovery(operation: &str) -> Option<Value> {
    Some(match operation {
        "sessions_recovery" => json!({"challenge": "fhc_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM"}),
        "recoveries_complete" => json!({"token": "fhl_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM"}),
        "recoveries_stop" => json!({"token": "fhx_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM"}),
        "recovery_address_update" => json!({"email": "grace.at.home@example.net"}),
        "recovery_address_verify" => json!({"token": "fhv_7cBLyM30bF78Zt5b33PIGT9gm3uRpW4litMU9llx8PM"}),
        "recoveries_approve" | "organization_recoveries_approve" => {
            json!({"reason": "Called back on the number in the personnel file"})
        }
        "recoveries_refuse" | "organization_recoveries_refuse" => json!({"reason": "Says that it was not them"}),
        _ => return None,
    })
}

fn about_alerts(operation: &str) -> Option<Value> {
    Some(match operation {
        "alerts_acknowledge" => json!({"note": "Our own load test; it is over"}),
        "alerts_reopen" => json!({"note": "It was not the load test"}),
        "alerts_mute" => json!({"until": "2026-11-30T08:00:00Z"}),
        "alert_rules_create" => json!({
            "name": "Many new keys", "event": "api_key.created", "count": 5, "window_minutes": 60, "by": "actor",
            "severity": "high",
        }),
        "alert_rules_update" => json!({"at_least": "high", "count": 10, "enabled": true}),
        "alert_rules_mute" => json!({"rule": "access_refusals", "until": "2026-11-30T08:00:00Z"}),
        "own_alert_preferences_update" => {
            json!({"digest": "weekly", "minimum_severity": "medium", "critical_at_once": true})
        }
        _ => return of_the_record(operation),
    })
}

/// The same, of what belongs to the record.
fn of_the_record(operation: &str) -> Option<Value> {
    Some(match operation {
        "legal_holds_create" => json!({
            "organization_id": "01a1fc64-cfa6-7344-8b59-055e68e640cc", "reason": "Case 4711, asked for by counsel",
        }),
        "legal_holds_release" => json!({"reason": "Case 4711 is closed"}),
        "product_event_types_declare" => json!({
            "title": "Invoice paid", "meaning": "A customer paid an invoice.", "severity": "low", "class": "normal",
            "target_type": "invoice",
            "details": [
                {"name": "amount", "meaning": "How much, in cents.", "personal": false},
                {"name": "paid_by", "meaning": "The name of whoever paid.", "personal": true},
            ],
        }),
        "product_events_record" => json!({
            "event": "product.invoice_paid", "target_id": "01a1fc64-cfa6-7344-8b59-055e68e640dd",
            "metadata": {"amount": 4711, "paid_by": "Grace Hopper"},
        }),
        _ => return None,
    })
}

fn about_decisions(operation: &str) -> Option<Value> {
    Some(match operation {
        "rbac_explain" => json!({
            "account_id": "01a1fc64-cfa6-7344-8b59-055e68e640cf", "operation": "members_remove", "object": "any",
        }),
        "rbac_policies_simulate" => {
            json!({"changes": [{"operation": "teams_list", "minimum_role": "admin"}], "days": 90})
        }
        "rbac_simulate" => json!({
            "changes": [
                {"change": "member_role", "account_id": "01a1fc64-cfa6-7344-8b59-055e68e640cf", "role": "member"},
                {"change": "team_role", "team_id": "01a1fc64-cfa6-7344-8b59-055e68e640d1", "role": "manager"},
            ],
            "days": 30,
        }),
        _ => return None,
    })
}

/// Completes the contract that the types make.
pub(super) fn complete(mut contract: Value, registry: &Registry) -> Value {
    let paths = contract.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut);
    for operation in items.flat_map(|item| item.values_mut()) {
        complete_operation(operation, registry);
    }
    contract
}

fn complete_operation(operation: &mut Value, registry: &Registry) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let (Some((_, row)), Some(fields)) = (registry.find(&id), operation.as_object_mut()) {
        fields.insert("x-freehold".to_owned(), json!(row));
    }
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter_map(Value::as_object_mut) {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        if let Some((_, text)) = PARAMETERS.iter().find(|(known, _)| *known == name) {
            parameter.insert("description".to_owned(), json!(text));
        }
    }
    let contents = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
    for content in contents.into_iter().flat_map(|contents| contents.values_mut()).filter_map(Value::as_object_mut) {
        if let Some(example) = example(&id) {
            content.insert("example".to_owned(), example);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        authz::{Hierarchy, PolicyFiles},
        edge::contract::{Content, Contract},
    };

    /// Proves API-1.
    #[test]
    fn every_body_has_an_example_that_the_contract_takes() {
        let files = PolicyFiles::default();
        let hierarchy = Hierarchy::parse(&files.roles).unwrap();
        let registry = Registry::parse(&files.operations, &hierarchy).unwrap();
        let document = crate::api::contract(&registry);
        let contract = Contract::compile(&document).unwrap();
        let mut bodies = 0;
        for item in document["paths"].as_object().unwrap().values() {
            for operation in
                item.as_object().unwrap().values().filter(|operation| operation.get("requestBody").is_some())
            {
                let id = operation["operationId"].as_str().unwrap();
                let example = example(id).unwrap_or_else(|| panic!("add an example for {id} in src/api/document.rs"));
                let contents = operation["requestBody"]["content"].as_object().unwrap();
                let media_type = contents.keys().next().unwrap().as_str();
                let bytes = match media_type {
                    "application/x-www-form-urlencoded" => {
                        let pairs =
                            example.as_object().unwrap().iter().map(|(name, text)| (name, text.as_str().unwrap()));
                        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
                    }
                    _ => serde_json::to_vec(&example).unwrap(),
                };
                let content = Content { media_type: Some(media_type), bytes: &bytes };
                contract.check(id, None, content).unwrap_or_else(|error| panic!("the example of {id}: {error:?}"));
                bodies += 1;
            }
        }
        assert!(bodies > 10, "only {bodies} bodies");
    }
}
