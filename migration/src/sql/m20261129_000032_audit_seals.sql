-- The record that nobody can quietly change: commitments to what is personal of an entry, and the seals over entries.
--
-- What it costs: nothing is rewritten and nothing is scanned, however many entries there are. The checks of new columns
-- hold for new rows and are not asked of old ones.

----------------------------------------------------------------------------------------------------- commitments

-- The form that an entry has been written in: 1 before there were commitments, which the release before this one goes on
-- with while both run; 2 since. A commitment is SHA-256 of a salt and what is personal, and null when there is nothing.
ALTER TABLE audit_entries
    ADD COLUMN form smallint NOT NULL DEFAULT 1,
    ADD COLUMN origin_commitment bytea,
    ADD COLUMN details_commitment bytea;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_form CHECK (
    form IN (1, 2) AND (form = 2 OR num_nonnulls(origin_commitment, details_commitment) = 0)
    AND length(origin_commitment) = 32 AND length(details_commitment) = 32
) NOT VALID;

-- The salts lie beside what they salt, sealed like it, and go with it: without them a commitment says nothing. In clear
-- they would let whoever has a copy of the database try out all addresses that there are.
ALTER TABLE audit_personal ADD COLUMN origin_salt bytea, ADD COLUMN details_salt bytea;
GRANT UPDATE (origin_salt, details_salt) ON audit_personal TO freehold_platform;
-- Also when the release before this one erases.
CREATE FUNCTION forget_salt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.details_salt := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER forget_salt BEFORE UPDATE OF details ON audit_personal FOR EACH ROW
    WHEN (NEW.details IS NULL AND NEW.details_salt IS NOT NULL) EXECUTE FUNCTION forget_salt();

----------------------------------------------------------------------------------------------------------- seals

-- One row for each entry that is sealed, in the order in which they were: its place and its hash. They stay when entries
-- go.
CREATE TABLE audit_seals (
    organization_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    entry_id uuid NOT NULL CONSTRAINT audit_seals_entry_key UNIQUE,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (organization_id, sequence)
);

-- What was signed over them: a JWS that names the organisation, the checkpoint before, how many entries are sealed, and
-- the hash that the chain of them ends in.
CREATE TABLE audit_checkpoints (
    organization_id uuid NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    -- Of the last entry that it seals.
    sequence bigint NOT NULL CHECK (sequence > 0),
    sealed_at timestamptz NOT NULL,
    jws text NOT NULL,
    PRIMARY KEY (organization_id, number),
    CONSTRAINT audit_checkpoints_sequence_key UNIQUE (organization_id, sequence)
);
CREATE INDEX audit_checkpoints_sealed_at ON audit_checkpoints (organization_id, sealed_at);

-- How far sealing is: one row.
CREATE TABLE audit_sealing (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- Every entry that was written before is sealed. Null until all that were there at first are.
    settled timestamptz,
    -- Up to when checkpoints have been taken out of the database.
    published timestamptz
);
INSERT INTO audit_sealing DEFAULT VALUES;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['audit_seals', 'audit_checkpoints'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY tenant_read ON %I FOR SELECT TO freehold_application
            USING (organization_id = (SELECT current_organization()))', t);
        EXECUTE format('GRANT SELECT ON %I TO freehold_application', t);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO freehold_platform', t);
        EXECUTE format('CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
    END LOOP;
END $$;
GRANT SELECT ON audit_sealing TO freehold_application, freehold_platform;
GRANT UPDATE (settled, published) ON audit_sealing TO freehold_platform;
