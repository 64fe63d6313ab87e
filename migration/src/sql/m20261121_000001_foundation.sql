-- The foundation: identity, tenants, sessions, mail, audit.
--
-- Two kinds of tables. Identity tables belong to no organisation (a person may be in many); each is used by one
-- module of the server. Tenant tables have organization_id, an index that begins with it, and forced row-level
-- security: the application's database role sees one organisation at a time, the one that the transaction names
-- in freehold.organization. The platform's role sees all of them. The owner migrates and dumps.

CREATE FUNCTION current_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('freehold.organization', true), '')::uuid $$;
CREATE FUNCTION current_account() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('freehold.account', true), '')::uuid $$;
-- The platform's own organisation has this id in every installation.
CREATE FUNCTION platform_organization() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '00000000-0000-7000-8000-000000000001'::uuid $$;

------------------------------------------------------------------------------------------------ identity tables

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    email text NOT NULL CONSTRAINT accounts_email_key UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    state text NOT NULL CHECK (state IN ('active', 'blocked')),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_sign_in_at timestamptz
);

CREATE TABLE password_credentials (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    hash text NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE setup_tokens (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE TABLE signing_keys (
    id uuid PRIMARY KEY,
    algorithm text NOT NULL CHECK (algorithm IN ('ES256', 'RS256', 'EdDSA')),
    public_jwk jsonb NOT NULL,
    private_key bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'retiring', 'retired')),
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);
-- At most one key signs at a time, whichever instance made it.
CREATE UNIQUE INDEX signing_keys_active_key ON signing_keys (state) WHERE state = 'active';

CREATE TABLE idempotency_keys (
    id uuid PRIMARY KEY,
    key bytea NOT NULL CONSTRAINT idempotency_keys_key UNIQUE CHECK (length(key) = 32),
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    status integer,
    answer bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);

CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    leased_by uuid,
    leased_until timestamptz,
    sent_at timestamptz,
    failed_at timestamptz,
    last_error text
);
CREATE INDEX outbox_waiting ON outbox (available_at) WHERE sent_at IS NULL AND failed_at IS NULL;

-------------------------------------------------------------------------------------------------- tenant tables

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    slug text NOT NULL CONSTRAINT organizations_slug_key UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    kind text NOT NULL CHECK (kind IN ('platform', 'tenant')),
    status text NOT NULL CHECK (status IN ('active', 'deleted')),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    purge_after timestamptz,
    CHECK ((status = 'deleted') = (deleted_at IS NOT NULL)),
    CHECK ((deleted_at IS NULL) = (purge_after IS NULL)),
    CHECK ((kind = 'platform') = (id = '00000000-0000-7000-8000-000000000001'))
);

CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    role text NOT NULL CHECK (role ~ '^[a-z][a-z0-9_]{0,62}$'),
    status text NOT NULL CHECK (status IN ('active', 'blocked')),
    version integer NOT NULL DEFAULT 1,
    joined_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT memberships_account_key UNIQUE (organization_id, account_id),
    CONSTRAINT memberships_platform_role CHECK (role <> 'platform_admin' OR organization_id = '00000000-0000-7000-8000-000000000001')
);
CREATE INDEX memberships_page ON memberships (organization_id, id);
CREATE INDEX memberships_account ON memberships (account_id);

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    role text NOT NULL CHECK (role ~ '^[a-z][a-z0-9_]{0,62}$'),
    message text CHECK (length(message) BETWEEN 1 AND 500),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    status text NOT NULL CHECK (status IN ('pending', 'accepted', 'revoked', 'expired')),
    invited_by uuid REFERENCES accounts ON DELETE SET NULL,
    accepted_by uuid REFERENCES accounts ON DELETE SET NULL,
    resend_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    mail_id uuid REFERENCES outbox ON DELETE SET NULL,
    accepted_at timestamptz,
    CHECK ((status = 'accepted') = (accepted_at IS NOT NULL))
);
CREATE INDEX invitations_page ON invitations (organization_id, id);
CREATE UNIQUE INDEX invitations_pending_key ON invitations (organization_id, email) WHERE status = 'pending';

-- Sessions belong to a person, not to a tenant: the organisation is where the session is at the moment.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    active_organization uuid REFERENCES organizations ON DELETE SET NULL,
    delivery text NOT NULL CHECK (delivery IN ('cookie', 'body')),
    factors text NOT NULL,
    address text,
    user_agent text,
    authenticated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_account ON sessions (account_id, id) WHERE ended_at IS NULL;

CREATE TABLE refresh_tokens (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    event text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    class text NOT NULL CHECK (class IN ('normal', 'security')),
    outcome text NOT NULL CHECK (outcome IN ('success', 'refused', 'failed')),
    actor_type text NOT NULL CHECK (actor_type IN ('account', 'anonymous', 'system')),
    actor_id uuid,
    target_type text NOT NULL,
    target_id uuid,
    address text,
    user_agent text,
    request_id text,
    metadata jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object')
);
CREATE INDEX audit_entries_page ON audit_entries (organization_id, id);
CREATE INDEX audit_entries_event ON audit_entries (organization_id, event, id);
CREATE INDEX audit_entries_actor ON audit_entries (organization_id, actor_id, id);
CREATE INDEX audit_entries_target ON audit_entries (organization_id, target_id, id);

-- The words of an entry, so that a text search is an equality on an index: row-level security keeps LIKE and @@
-- off theirs, because those operators are not leak-proof.
CREATE TABLE audit_words (
    organization_id uuid NOT NULL,
    word text NOT NULL,
    entry_id uuid NOT NULL REFERENCES audit_entries,
    PRIMARY KEY (organization_id, word, entry_id)
);

---------------------------------------------------------------------------------------------- row-level security

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['organizations', 'memberships', 'invitations', 'audit_entries', 'audit_words'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

-- A person sees the organisations they belong to, and changes the one the transaction is in.
CREATE POLICY tenant_read ON organizations FOR SELECT TO freehold_application USING (
    id = (SELECT current_organization())
    OR EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = organizations.id AND m.account_id = (SELECT current_account()))
);
CREATE POLICY tenant_update ON organizations FOR UPDATE TO freehold_application
    USING (id = (SELECT current_organization())) WITH CHECK (id = (SELECT current_organization()));

-- A person sees their own memberships everywhere, and everybody's in the organisation the transaction is in.
CREATE POLICY tenant_read ON memberships FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()) OR account_id = (SELECT current_account()));
CREATE POLICY tenant_insert ON memberships FOR INSERT TO freehold_application
    WITH CHECK (organization_id = (SELECT current_organization()));
CREATE POLICY tenant_update ON memberships FOR UPDATE TO freehold_application
    USING (organization_id = (SELECT current_organization())) WITH CHECK (organization_id = (SELECT current_organization()));
CREATE POLICY tenant_delete ON memberships FOR DELETE TO freehold_application
    USING (organization_id = (SELECT current_organization()));

CREATE POLICY tenant_all ON invitations TO freehold_application
    USING (organization_id = (SELECT current_organization())) WITH CHECK (organization_id = (SELECT current_organization()));

-- Entries about an account go to the platform's organisation, whichever tenant the transaction is in.
CREATE POLICY tenant_read ON audit_entries FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()));
CREATE POLICY tenant_insert ON audit_entries FOR INSERT TO freehold_application
    WITH CHECK (organization_id = (SELECT current_organization()) OR organization_id = platform_organization());
CREATE POLICY tenant_read ON audit_words FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()));
CREATE POLICY tenant_insert ON audit_words FOR INSERT TO freehold_application
    WITH CHECK (organization_id = (SELECT current_organization()) OR organization_id = platform_organization());

------------------------------------------------------------------------------------------------------ privileges

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO freehold_application, freehold_platform;
GRANT SELECT, INSERT, UPDATE ON accounts, setup_tokens, sessions, refresh_tokens TO freehold_application, freehold_platform;
GRANT SELECT, INSERT ON password_credentials TO freehold_application, freehold_platform;
GRANT SELECT, INSERT, UPDATE ON signing_keys TO freehold_platform;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO freehold_application, freehold_platform;
GRANT INSERT, SELECT (id, sent_at, failed_at) ON outbox TO freehold_application;
GRANT SELECT, INSERT, UPDATE ON outbox TO freehold_platform;
GRANT SELECT, UPDATE ON organizations TO freehold_application;
GRANT SELECT, INSERT, UPDATE ON organizations TO freehold_platform;
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships TO freehold_application, freehold_platform;
GRANT SELECT, INSERT, UPDATE ON invitations TO freehold_application, freehold_platform;
GRANT SELECT, INSERT ON audit_entries, audit_words TO freehold_application, freehold_platform;

--------------------------------------------------------------------------------------------------- notifications

-- What an instance has cached of a session must go when what it says changes. Triggers, so that no writer can forget.
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'accounts' THEN PERFORM pg_notify('freehold_changes', 'account:' || NEW.id);
        WHEN 'sessions' THEN PERFORM pg_notify('freehold_changes', 'account:' || NEW.account_id);
        WHEN 'memberships' THEN PERFORM pg_notify('freehold_changes', 'account:' || coalesce(NEW.account_id, OLD.account_id));
        WHEN 'organizations' THEN PERFORM pg_notify('freehold_changes', 'organization:' || NEW.id);
        WHEN 'signing_keys' THEN PERFORM pg_notify('freehold_changes', 'keys:' || NEW.id);
        WHEN 'outbox' THEN PERFORM pg_notify('freehold_changes', 'outbox:' || NEW.id);
    END CASE;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER UPDATE OF state, email, name ON accounts FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_change AFTER UPDATE OF ended_at, active_organization, expires_at ON sessions
    FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON memberships FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_change AFTER UPDATE OF status ON organizations FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE ON signing_keys FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_change AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION notify_change();

-- Entries are never changed or removed one by one, not even by the owner.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are immutable';
END $$;
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO organizations (id, name, slug, kind, status, created_at, updated_at)
    VALUES (platform_organization(), 'Platform', 'platform', 'platform', 'active', now(), now());
