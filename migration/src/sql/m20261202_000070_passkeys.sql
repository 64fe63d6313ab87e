-- Passkeys (WebAuthn): what people prove who they are with instead of a password, or beside it.

-- What is kept of a passkey is public, but for what its person calls it. The credential has the public key, the counter
-- of its uses, and whether it is kept in more places than one.
CREATE TABLE passkeys (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name bytea NOT NULL,
    credential_id bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
    credential text NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX passkeys_account ON passkeys (account_id, id);

-- A ceremony that has begun: what an authenticator is to sign, once and soon. It is bound, by a hash, to the session,
-- the challenge or the browser that it was begun in, and only what came from there ends it.
CREATE TABLE passkey_ceremonies (
    purpose text NOT NULL CHECK (purpose IN ('register', 'sign_in', 'second_factor', 'reauthenticate')),
    bound_to bytea NOT NULL CHECK (length(bound_to) = 32),
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    state text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (purpose, bound_to)
);
CREATE INDEX passkey_ceremonies_account ON passkey_ceremonies (account_id);
CREATE INDEX passkey_ceremonies_expires ON passkey_ceremonies (expires_at);

GRANT SELECT, INSERT, DELETE ON passkeys, passkey_ceremonies TO freehold_application, freehold_platform;
GRANT UPDATE (name, credential, last_used_at) ON passkeys TO freehold_application;
GRANT UPDATE (name) ON passkeys TO freehold_platform;
GRANT UPDATE (state, created_at, expires_at) ON passkey_ceremonies TO freehold_application;

CREATE OR REPLACE FUNCTION has_second_factor(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM totp_factors WHERE account_id = account AND confirmed_at IS NOT NULL)
        OR EXISTS (SELECT FROM passkeys WHERE account_id = account)
$$;

CREATE TRIGGER notify_change AFTER INSERT OR DELETE ON passkeys
    FOR EACH ROW EXECUTE FUNCTION notify_second_factor();
