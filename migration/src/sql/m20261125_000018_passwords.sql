-- Passwords that somebody had before, and links to choose a new one.

-- What was a person's password before the present one. How many are kept, the settings say.
CREATE TABLE password_history (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    hash text NOT NULL,
    replaced_at timestamptz NOT NULL
);
CREATE INDEX password_history_account ON password_history (account_id, id);

-- The newest link of a person; there is never another that works. It is kept as a hash, and after its use until its
-- time is over, so that a second use can be told from a made-up link.
CREATE TABLE password_resets (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT password_resets_token_key UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- How many passwords were held against those of before: each says whether it was one of them.
    tries integer NOT NULL DEFAULT 0,
    used_at timestamptz
);
CREATE INDEX password_resets_expires_at ON password_resets (expires_at);

-- Who has asked for a link in the last hour: by address on the network and by e-mail address, whether or not it has an
-- account. The key is an HMAC; what it was made of is nowhere.
CREATE TABLE password_reset_limits (
    key bytea PRIMARY KEY CHECK (length(key) = 32),
    recent timestamptz[] NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_reset_limits_expires_at ON password_reset_limits (expires_at);

GRANT UPDATE (hash, updated_at) ON password_credentials TO freehold_application;
GRANT SELECT, INSERT, DELETE ON password_history TO freehold_application;
GRANT SELECT, DELETE ON password_history TO freehold_platform;
GRANT SELECT, UPDATE (tries, used_at) ON password_resets TO freehold_application;
GRANT SELECT, INSERT, UPDATE (token_hash, created_at, expires_at, tries, used_at), DELETE ON password_resets TO freehold_platform;
GRANT SELECT, INSERT, UPDATE (recent, expires_at), DELETE ON password_reset_limits TO freehold_application;
GRANT SELECT, DELETE ON password_reset_limits TO freehold_platform;
