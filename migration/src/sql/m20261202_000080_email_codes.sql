-- Codes by e-mail, the weak second factor, and browsers that need none for a while.

-- Whether somebody has codes mailed to them, and the one that can be used now. Nothing of it is stored but an HMAC under a
-- key that is not here, together with what it was asked for in: a challenge or a session.
CREATE TABLE email_codes (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    -- Since when it is a factor; not yet while it is being set up.
    enabled_at timestamptz,
    code_hash bytea CHECK (length(code_hash) = 32),
    failures integer NOT NULL DEFAULT 0,
    expires_at timestamptz,
    -- When codes were sent in the last hour.
    sent timestamptz[] NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL
);
CREATE INDEX email_codes_abandoned ON email_codes (changed_at) WHERE enabled_at IS NULL;

-- Browsers in which a right password is enough for a while, because a factor was proven there. The token is not here.
CREATE TABLE trusted_devices (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    -- Sealed: where from, and with which client, it was last used.
    address bytea,
    user_agent bytea,
    -- Whether the factor that was proven is a weak one.
    weak boolean NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX trusted_devices_account ON trusted_devices (account_id, id);
CREATE INDEX trusted_devices_expires ON trusted_devices (expires_at);

GRANT SELECT, INSERT, DELETE ON email_codes, trusted_devices TO freehold_application, freehold_platform;
GRANT UPDATE (enabled_at, code_hash, failures, expires_at, sent, changed_at) ON email_codes TO freehold_application;
GRANT UPDATE (enabled_at, code_hash, changed_at) ON email_codes TO freehold_platform;
GRANT UPDATE (last_used_at, address, user_agent) ON trusted_devices TO freehold_application;
GRANT UPDATE (address, user_agent) ON trusted_devices TO freehold_platform;

CREATE OR REPLACE FUNCTION has_second_factor(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM totp_factors WHERE account_id = account AND confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM passkeys WHERE account_id = account)
        OR EXISTS (SELECT FROM email_codes WHERE account_id = account AND enabled_at IS NOT NULL)
$$;

-- Whether one of them is not a weak one.
CREATE FUNCTION has_strong_factor(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM totp_factors WHERE account_id = account AND confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM passkeys WHERE account_id = account)
$$;

CREATE TRIGGER notify_change AFTER UPDATE OF enabled_at OR DELETE ON email_codes
    FOR EACH ROW EXECUTE FUNCTION notify_second_factor();
