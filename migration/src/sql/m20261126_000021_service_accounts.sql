-- Service accounts: an organisation's own programs, and the keys with which they call.
--
-- A key names its organisation, so that it is looked up under row-level security like everything else. Of the key
-- itself only a hash is here.

CREATE TABLE service_accounts (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- The name in lower case, as the server makes it.
    name_key text NOT NULL,
    description text CHECK (length(description) BETWEEN 1 AND 500),
    role text NOT NULL CHECK (role ~ '^[a-z][a-z0-9_]{0,62}$'),
    state text NOT NULL CHECK (state IN ('active', 'disabled')),
    version integer NOT NULL DEFAULT 1,
    created_by uuid REFERENCES accounts ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT service_accounts_in_organization UNIQUE (organization_id, id),
    CONSTRAINT service_accounts_name_key UNIQUE (organization_id, name_key),
    -- People administer the platform, programs don't.
    CONSTRAINT service_accounts_role CHECK (role <> 'platform_admin')
);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    service_account_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- How the key begins, for people to tell keys apart.
    prefix text NOT NULL CHECK (length(prefix) = 12),
    key_hash bytea NOT NULL UNIQUE CHECK (length(key_hash) = 32),
    -- From where it may be used, in CIDR notation; empty is everywhere.
    allowed_networks text[] NOT NULL DEFAULT '{}' CHECK (cardinality(allowed_networks) <= 20),
    created_by uuid REFERENCES accounts ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    last_used_address bytea,
    revoked_at timestamptz,
    FOREIGN KEY (organization_id, service_account_id) REFERENCES service_accounts (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX api_keys_page ON api_keys (organization_id, service_account_id, id);

-- Who invited: a person, or a program. An invitation is worth what its inviter could give.
ALTER TABLE invitations ADD COLUMN invited_by_service uuid REFERENCES service_accounts ON DELETE SET NULL;
CREATE INDEX invitations_by_service ON invitations (invited_by_service) WHERE invited_by_service IS NOT NULL;

ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_actor_type_check;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_actor_type_check
    CHECK (actor_type IN ('account', 'service', 'anonymous', 'system'));

---------------------------------------------------------------------------------------------- row-level security

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['service_accounts', 'api_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY tenant_all ON %I TO freehold_application USING (organization_id = (SELECT current_organization()))
            WITH CHECK (organization_id = (SELECT current_organization()))', t);
    END LOOP;
END $$;

------------------------------------------------------------------------------------------------------ privileges

GRANT SELECT, INSERT, DELETE ON service_accounts, api_keys TO freehold_application;
GRANT UPDATE (name, name_key, description, role, state, version, updated_at) ON service_accounts TO freehold_application;
GRANT UPDATE (revoked_at) ON api_keys TO freehold_application;
GRANT SELECT ON service_accounts, api_keys TO freehold_platform;
-- A use is noted off its request's path, for all organisations together.
GRANT UPDATE (last_used_at, last_used_address) ON api_keys TO freehold_platform;
GRANT UPDATE (invited_by_service) ON invitations TO freehold_application;

--------------------------------------------------------------------------------------------------- notifications

-- What a key may goes with its account, and with itself.
CREATE FUNCTION notify_service_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'service_accounts' THEN
        PERFORM pg_notify('freehold_changes', 'service:' || OLD.id);
    ELSE
        PERFORM pg_notify('freehold_changes', 'service:' || OLD.service_account_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER UPDATE OF role, state OR DELETE ON service_accounts
    FOR EACH ROW EXECUTE FUNCTION notify_service_change();
CREATE TRIGGER notify_change AFTER UPDATE OF revoked_at, expires_at, allowed_networks OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION notify_service_change();
