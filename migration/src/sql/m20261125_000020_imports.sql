-- Imports of people: what was uploaded, how far it is worked off, and what became of each line.
--
-- The upload lies in sealed pieces and is removed with the end of the import. What stays of a line is its number and its
-- outcome. How far an import is, is written in the transaction of the work: it goes on from there after whatever end.

CREATE TABLE imports (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- What a line makes: an account, an account and its membership, or an invitation.
    kind text NOT NULL CHECK (kind IN ('accounts', 'members', 'invitations')),
    format text NOT NULL CHECK (format IN ('csv', 'json_lines')),
    state text NOT NULL CHECK (state IN ('receiving', 'checking', 'checked', 'importing', 'finished', 'cancelled', 'failed')),
    paused boolean NOT NULL DEFAULT false,
    created_by uuid REFERENCES accounts ON DELETE SET NULL,
    -- Through what the person acts, for the record.
    session_id uuid,
    acting_id uuid,
    -- Whether nobody but the command line answers for it.
    by_system boolean NOT NULL DEFAULT false,
    bytes bigint NOT NULL DEFAULT 0,
    at_byte bigint NOT NULL DEFAULT 0,
    at_line bigint NOT NULL DEFAULT 0,
    -- Inside of a line that is too long.
    skipping boolean NOT NULL DEFAULT false,
    -- What the first line of a CSV file says: the columns, and what lies between them.
    header jsonb,
    made bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    failure text,
    -- Under this lie the fingerprints of the lines; sealed, and gone with the end.
    salt bytea,
    attempts integer NOT NULL DEFAULT 0,
    available_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT imports_in_organization UNIQUE (organization_id, id),
    CHECK ((state IN ('finished', 'cancelled', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK (finished_at IS NULL OR salt IS NULL),
    CHECK ((kind = 'accounts') = (organization_id = '00000000-0000-7000-8000-000000000001'))
);
CREATE INDEX imports_waiting ON imports (available_at) WHERE state IN ('checking', 'importing') AND NOT paused;
CREATE INDEX imports_updated_at ON imports (updated_at);

CREATE TABLE import_parts (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    starts bigint NOT NULL,
    length integer NOT NULL CHECK (length > 0),
    data bytea NOT NULL,
    FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT import_parts_place UNIQUE (organization_id, import_id, starts)
);

CREATE TABLE import_lines (
    organization_id uuid NOT NULL,
    import_id uuid NOT NULL,
    line bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('made', 'skipped', 'refused')),
    code text,
    field text,
    -- Of the address, to find it again in the same file.
    fingerprint bytea,
    PRIMARY KEY (organization_id, import_id, line),
    FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX import_lines_fingerprint ON import_lines (organization_id, import_id, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX import_lines_outcome ON import_lines (organization_id, import_id, outcome, line) WHERE outcome <> 'made';

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['imports', 'import_parts', 'import_lines'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY tenant_all ON %I TO freehold_application USING (organization_id = (SELECT current_organization()))
            WITH CHECK (organization_id = (SELECT current_organization()))', t);
    END LOOP;
END $$;

GRANT SELECT, INSERT, DELETE ON import_parts, import_lines TO freehold_application, freehold_platform;
GRANT UPDATE (data) ON import_parts TO freehold_platform;
GRANT SELECT, INSERT ON imports TO freehold_application, freehold_platform;
GRANT UPDATE (state, paused, bytes, at_byte, at_line, skipping, header, made, skipped, refused, failure, salt, attempts,
    available_at, updated_at, finished_at) ON imports TO freehold_application, freehold_platform;
GRANT DELETE ON imports TO freehold_platform;

-- Whoever works imports off is woken.
CREATE FUNCTION notify_imports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'imports:' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OF state, paused ON imports FOR EACH ROW
    WHEN (NEW.state IN ('checking', 'importing') AND NOT NEW.paused) EXECUTE FUNCTION notify_imports();

-- A hash of another tool, or of other parameters, is replaced by one of ours when its person signs in.
GRANT UPDATE (hash, updated_at) ON password_credentials TO freehold_application;
