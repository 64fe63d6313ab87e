-- Second factors: what people prove beside the password, what waits for such a proof, and until when they may do without.

-- An authenticator app (RFC 6238): one that is in use, and one that is being set up, of each person. A step is accepted
-- once, whichever instance is shown its code: `last_step` only grows.
CREATE TABLE totp_factors (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    secret bytea NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz
);
CREATE UNIQUE INDEX totp_factors_account ON totp_factors (account_id) WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX totp_factors_pending ON totp_factors (account_id) WHERE confirmed_at IS NULL;
CREATE INDEX totp_factors_abandoned ON totp_factors (created_at) WHERE confirmed_at IS NULL;

-- Codes for when the app is out of reach: an HMAC of each that has not been used, under a key that is not here.
CREATE TABLE backup_codes (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    code_hash bytea NOT NULL CHECK (length(code_hash) = 32),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, code_hash)
);

-- A right password that waits for a second factor. There is no session until that is proven.
CREATE TABLE second_factor_challenges (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    delivery text NOT NULL CHECK (delivery IN ('cookie', 'body')),
    -- Where the session begins, when the person said so by accepting an invitation.
    wanted_organization uuid,
    -- The known device that the password was given on, or whether this one becomes known.
    known_device uuid,
    remember boolean NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX second_factor_challenges_account ON second_factor_challenges (account_id);
CREATE INDEX second_factor_challenges_expires ON second_factor_challenges (expires_at);

-- Wrong codes of an account in the last hour, over all challenges.
CREATE TABLE second_factor_failures (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    failed_at timestamptz NOT NULL
);
CREATE INDEX second_factor_failures_account ON second_factor_failures (account_id, failed_at);
CREATE INDEX second_factor_failures_old ON second_factor_failures (failed_at);

-- Until when an account may do without a second factor where its role demands one: written once, by this database's
-- clock, when that was first the case. Neither another role nor removing a factor writes another.
CREATE TABLE second_factor_deadlines (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, DELETE ON totp_factors, backup_codes, second_factor_challenges, second_factor_failures,
    second_factor_deadlines TO freehold_application, freehold_platform;
GRANT UPDATE (last_step, confirmed_at) ON totp_factors TO freehold_application;
GRANT UPDATE (secret) ON totp_factors TO freehold_platform;
GRANT UPDATE (failures) ON second_factor_challenges TO freehold_application;
GRANT UPDATE (due_at) ON second_factor_deadlines TO freehold_platform;
GRANT UPDATE (factors) ON sessions TO freehold_application, freehold_platform;

-- Whether a person has a factor beside the password, for whoever has to ask for it.
CREATE FUNCTION has_second_factor(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM totp_factors WHERE account_id = account AND confirmed_at IS NOT NULL)
$$;

CREATE FUNCTION notify_second_factor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'account:' || coalesce(NEW.account_id, OLD.account_id));
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER UPDATE OF confirmed_at OR DELETE ON totp_factors
    FOR EACH ROW EXECUTE FUNCTION notify_second_factor();
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON second_factor_deadlines
    FOR EACH ROW EXECUTE FUNCTION notify_second_factor();

DROP TRIGGER notify_change ON sessions;
CREATE TRIGGER notify_change
    AFTER UPDATE OF ended_at, active_organization, expires_at, reauthenticated_at, last_seen_at, factors ON sessions
    FOR EACH ROW EXECUTE FUNCTION notify_change();
