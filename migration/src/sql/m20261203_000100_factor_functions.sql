-- A manager's copy of what is about a passkey or a trusted device, whichever organisation somebody works in meanwhile. A
-- passkey that is gone was its owner's who removed it.
CREATE OR REPLACE FUNCTION is_about_managed(organization uuid, kind text, target uuid, actor uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (
        SELECT FROM accounts a WHERE a.managed_by = organization AND a.id = CASE kind
            WHEN 'account' THEN target
            WHEN 'session' THEN coalesce((SELECT s.account_id FROM sessions s WHERE s.id = target), actor)
            WHEN 'passkey' THEN coalesce((SELECT p.account_id FROM passkeys p WHERE p.id = target), actor)
            WHEN 'known_device' THEN actor
            WHEN 'trusted_device' THEN actor
        END)
$$;

-- Asked at every sign-in, and of every session that is looked up: a function in SQL is planned anew in each statement, this
-- one once a connection.
CREATE OR REPLACE FUNCTION has_second_factor(account uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM totp_factors WHERE account_id = account AND confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM passkeys WHERE account_id = account)
        OR EXISTS (SELECT FROM email_codes WHERE account_id = account AND enabled_at IS NOT NULL);
END $$;
CREATE OR REPLACE FUNCTION has_strong_factor(account uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM totp_factors WHERE account_id = account AND confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM passkeys WHERE account_id = account);
END $$;

-- An administrator decides about a recovery, and until when somebody may do without is decided once: whoever it is about
-- does neither.
REVOKE UPDATE (token_hash, approval, not_before, expires_at, decided_by, decided_at) ON recovery_requests FROM freehold_application;
REVOKE DELETE ON second_factor_deadlines FROM freehold_application;

-- How often what an account is proven with has changed: its password, or that there is another second factor. A sign-in
-- that began before such a change does not end after it. It is in the account's row, which every sign-in holds.
ALTER TABLE accounts ADD COLUMN proofs bigint NOT NULL DEFAULT 0;
CREATE FUNCTION count_proof() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE accounts SET proofs = proofs + 1 WHERE id = NEW.account_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION count_proof() FROM PUBLIC;
-- A hash of the same password under newer parameters leaves the moment as it is.
CREATE TRIGGER count_proof AFTER UPDATE OF updated_at ON password_credentials FOR EACH ROW EXECUTE FUNCTION count_proof();
CREATE TRIGGER count_proof AFTER UPDATE OF confirmed_at ON totp_factors FOR EACH ROW EXECUTE FUNCTION count_proof();
CREATE TRIGGER count_proof AFTER INSERT ON passkeys FOR EACH ROW EXECUTE FUNCTION count_proof();
CREATE TRIGGER count_proof AFTER UPDATE OF enabled_at ON email_codes FOR EACH ROW
    WHEN (NEW.enabled_at IS NOT NULL) EXECUTE FUNCTION count_proof();
