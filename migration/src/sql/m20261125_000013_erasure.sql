-- What was in clear is sealed by now, and goes. People can be erased.
--
-- A column that is dropped stays in the table's files until its rows are written again: the server rewrites them after
-- this step.

-- The one time that entries are changed: what somebody wrote has moved beside them.
ALTER TABLE audit_entries DISABLE TRIGGER immutable;
UPDATE audit_entries SET metadata = metadata - 'reason' WHERE event IN ('account.blocked', 'organization.acting_started');
ALTER TABLE audit_entries ENABLE TRIGGER immutable;
ALTER TABLE audit_entries DROP COLUMN address, DROP COLUMN user_agent;

ALTER TABLE platform_access DROP COLUMN reason;
ALTER TABLE platform_access RENAME COLUMN reason_sealed TO reason;
GRANT UPDATE (reason) ON platform_access TO freehold_platform;

---------------------------------------------------------------------------------------------------- erased people

-- Of an erased person an account stays that says nothing: what others did to it and it did keeps its name, an id.
ALTER TABLE accounts ALTER COLUMN email DROP NOT NULL, ALTER COLUMN name DROP NOT NULL;
ALTER TABLE accounts DROP CONSTRAINT accounts_state_check;
ALTER TABLE accounts ADD CONSTRAINT accounts_state_check CHECK (state IN ('active', 'blocked', 'erased'));
ALTER TABLE accounts ADD COLUMN erased_at timestamptz;
ALTER TABLE accounts ADD CONSTRAINT accounts_erased CHECK (
    num_nonnulls(salt, email, name) = CASE state WHEN 'erased' THEN 0 ELSE 3 END
    AND (state = 'erased') = (erased_at IS NOT NULL)
);
CREATE INDEX accounts_erased ON accounts (id) WHERE state = 'erased';

-- Who joins something at the very moment of being erased does not.
CREATE FUNCTION refuse_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    -- Waits for whoever erases, and then looks again.
    PERFORM FROM accounts WHERE id = NEW.account_id AND state <> 'erased' FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account % has been erased', NEW.account_id USING ERRCODE = '40001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_erased BEFORE INSERT ON memberships FOR EACH ROW EXECUTE FUNCTION refuse_erased();

-- Who was erased, whether or not their account is in this database: a copy from before it may not have it yet.
CREATE TABLE erasures (
    account_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);

-- The invitations of somebody, in whichever organisation.
CREATE INDEX invitations_accepted_by ON invitations (accepted_by) WHERE accepted_by IS NOT NULL;
CREATE INDEX invitation_matches_anywhere ON invitation_matches (value);

-- Whose kept answers these are.
ALTER TABLE idempotency_keys ADD COLUMN account_id uuid;
CREATE INDEX idempotency_keys_account ON idempotency_keys (account_id) WHERE account_id IS NOT NULL;

GRANT UPDATE (salt, last_sign_in_at, erased_at) ON accounts TO freehold_platform;
-- Which means destroying it: another salt would leave the person as unreadable, and nobody would know.
CREATE FUNCTION keep_salt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'freehold_platform' AND NEW.salt IS NOT NULL AND NEW.salt IS DISTINCT FROM OLD.salt THEN
        RAISE EXCEPTION 'a salt is destroyed, never changed' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_salt BEFORE UPDATE OF salt ON accounts FOR EACH ROW EXECUTE FUNCTION keep_salt();
GRANT DELETE ON password_credentials TO freehold_platform;
GRANT SELECT, INSERT ON erasures TO freehold_platform;
