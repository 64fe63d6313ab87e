-- Data keys, and where sealed values and match values go. What lies in clear is sealed by the server right after this
-- step, before the next one removes it.

-- One key a scope and version, wrapped by the root key. Its id is part of every value that it sealed.
CREATE TABLE data_keys (
    id uuid PRIMARY KEY,
    scope text NOT NULL CHECK (scope ~ '^[a-z][a-z0-9_]{0,30}$'),
    version integer NOT NULL CHECK (version > 0),
    state text NOT NULL CHECK (state IN ('pending', 'active', 'retiring', 'closing', 'retired', 'destroyed')),
    wrapped bytea,
    root_key bytea NOT NULL CHECK (length(root_key) = 16),
    -- Grows with every change of any key: what an instance says to have understood.
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    activated_at timestamptz,
    retired_at timestamptz,
    destroyed_at timestamptz,
    CONSTRAINT data_keys_version_key UNIQUE (scope, version),
    CHECK ((state = 'destroyed') = (wrapped IS NULL))
);
CREATE UNIQUE INDEX data_keys_active_key ON data_keys (scope) WHERE state = 'active';
CREATE UNIQUE INDEX data_keys_pending_key ON data_keys (scope) WHERE state = 'pending';

CREATE SEQUENCE data_keys_revision;
CREATE FUNCTION next_keys_revision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    NEW.revision := nextval('data_keys_revision');
    RETURN NEW;
END $$;
CREATE TRIGGER next_revision BEFORE INSERT OR UPDATE OF state, wrapped ON data_keys
    FOR EACH ROW EXECUTE FUNCTION next_keys_revision();
CREATE FUNCTION notify_data_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'data_keys:' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OF state, wrapped ON data_keys
    FOR EACH ROW EXECUTE FUNCTION notify_data_keys();

-- The revision that an instance works with.
ALTER TABLE instances ADD COLUMN keys_revision bigint NOT NULL DEFAULT 0;

CREATE TABLE key_rotations (
    id uuid PRIMARY KEY,
    scope text NOT NULL,
    from_key uuid NOT NULL REFERENCES data_keys,
    to_key uuid NOT NULL REFERENCES data_keys,
    step text NOT NULL CHECK (step IN ('announcing', 'migrating', 'verifying', 'closing', 'finished')),
    paused boolean NOT NULL DEFAULT false,
    at_column text,
    at_row uuid,
    rows_total bigint NOT NULL,
    rows_done bigint NOT NULL DEFAULT 0,
    passes integer NOT NULL DEFAULT 0,
    started_by uuid REFERENCES accounts ON DELETE SET NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    CHECK ((step = 'finished') = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX key_rotations_running_key ON key_rotations (scope) WHERE finished_at IS NULL;

-- What people are found by. A value is equal for equal words under one key and says nothing else.
CREATE TABLE account_matches (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    value bytea NOT NULL,
    field text NOT NULL CHECK (field IN ('email', 'word')),
    key_id uuid NOT NULL REFERENCES data_keys,
    PRIMARY KEY (account_id, value)
);
CREATE UNIQUE INDEX accounts_email_match ON account_matches (value) WHERE field = 'email';
CREATE INDEX account_matches_word ON account_matches (value, account_id) WHERE field = 'word';
CREATE INDEX account_matches_key ON account_matches (key_id);

-- What open invitations are found by; the trigger below keeps `open` true to the invitation.
CREATE TABLE invitation_matches (
    organization_id uuid NOT NULL,
    invitation_id uuid NOT NULL REFERENCES invitations ON DELETE CASCADE,
    value bytea NOT NULL,
    open boolean NOT NULL DEFAULT true,
    key_id uuid NOT NULL REFERENCES data_keys,
    PRIMARY KEY (organization_id, invitation_id, value)
);
CREATE INDEX invitation_matches_value ON invitation_matches (organization_id, value);
CREATE UNIQUE INDEX invitations_open_match ON invitation_matches (organization_id, value) WHERE open;
CREATE INDEX invitation_matches_invitation ON invitation_matches (invitation_id);
CREATE INDEX invitation_matches_key ON invitation_matches (key_id);
CREATE FUNCTION close_matches() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE invitation_matches SET open = (NEW.status = 'pending') WHERE invitation_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER close_matches AFTER UPDATE OF status ON invitations FOR EACH ROW
    WHEN ((NEW.status = 'pending') IS DISTINCT FROM (OLD.status = 'pending')) EXECUTE FUNCTION close_matches();

-- An instance that slept through the end of a key can't write under it: the others would not find what it wrote.
CREATE FUNCTION refuse_dead_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM data_keys WHERE id = NEW.key_id AND state IN ('pending', 'active', 'retiring', 'closing')) THEN
        RAISE EXCEPTION 'the data key % is not in use any more', NEW.key_id USING ERRCODE = '40001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_dead_key BEFORE INSERT ON account_matches FOR EACH ROW EXECUTE FUNCTION refuse_dead_key();
CREATE TRIGGER refuse_dead_key BEFORE INSERT ON invitation_matches FOR EACH ROW EXECUTE FUNCTION refuse_dead_key();

-- What is destroyed is nothing, and no empty value that could be taken for a sealed one.
ALTER TABLE outbox ALTER COLUMN payload DROP NOT NULL;
UPDATE outbox SET payload = NULL WHERE length(payload) = 0;
ALTER TABLE signing_keys ALTER COLUMN private_key DROP NOT NULL;
UPDATE signing_keys SET private_key = NULL WHERE length(private_key) = 0;

ALTER TABLE accounts ADD COLUMN salt bytea CHECK (length(salt) = 32), ADD COLUMN email_sealed bytea, ADD COLUMN name_sealed bytea;
ALTER TABLE invitations ADD COLUMN email_sealed bytea, ADD COLUMN message_sealed bytea;
ALTER TABLE sessions ADD COLUMN address_sealed bytea, ADD COLUMN user_agent_sealed bytea;

---------------------------------------------------------------------------------------------- row-level security

ALTER TABLE invitation_matches ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation_matches FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON invitation_matches TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_all ON invitation_matches TO freehold_platform USING (true) WITH CHECK (true);
CREATE POLICY tenant_all ON invitation_matches TO freehold_application
    USING (organization_id = (SELECT current_organization())) WITH CHECK (organization_id = (SELECT current_organization()));

------------------------------------------------------------------------------------------------------ privileges

-- The keys are the platform's. The application's role never sees one, wrapped or not.
GRANT SELECT, INSERT ON data_keys, key_rotations TO freehold_platform;
GRANT UPDATE (state, wrapped, root_key, activated_at, retired_at, destroyed_at) ON data_keys TO freehold_platform;
GRANT UPDATE (step, paused, at_column, at_row, rows_total, rows_done, passes, updated_at, finished_at) ON key_rotations TO freehold_platform;
GRANT SELECT, INSERT, DELETE ON account_matches, invitation_matches TO freehold_application, freehold_platform;
