-- Guessing: one set of counters of failures, for all instances, and the devices that people have signed in on.

-- A counter's subject is an HMAC of an address that somebody signs in with, of a known device or of a network address:
-- it says nothing to whoever has a copy of the table, and an address without an account has one like any other.
CREATE TABLE guesses (
    subject bytea PRIMARY KEY CHECK (length(subject) = 32),
    kind text NOT NULL CHECK (kind IN ('identifier', 'device', 'address')),
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    -- Attempts that were wrong or are being looked at.
    failures integer NOT NULL CHECK (failures >= 0),
    locked_until timestamptz,
    -- Whether the lock is in the record; its end is not yet.
    announced boolean NOT NULL DEFAULT false,
    -- Whether the last attempt found an announced lock that had ended by time.
    lapsed boolean NOT NULL DEFAULT false,
    told_at timestamptz,
    forget_at timestamptz NOT NULL,
    CHECK (NOT announced OR locked_until IS NOT NULL)
);
CREATE INDEX guesses_account ON guesses (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX guesses_forget ON guesses (forget_at);
CREATE INDEX guesses_ending ON guesses (locked_until) WHERE announced;
-- What is bounded in number.
CREATE INDEX guesses_nobody ON guesses (kind, forget_at) WHERE account_id IS NULL;

CREATE TABLE known_devices (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    address bytea,
    user_agent bytea,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX known_devices_account ON known_devices (account_id, id);
CREATE INDEX known_devices_expires ON known_devices (expires_at);

GRANT SELECT, INSERT, DELETE ON guesses, known_devices TO freehold_application, freehold_platform;
GRANT UPDATE (account_id, failures, locked_until, announced, lapsed, told_at, forget_at) ON guesses
    TO freehold_application, freehold_platform;
GRANT UPDATE (address, user_agent, last_seen_at, expires_at) ON known_devices TO freehold_application;
GRANT UPDATE (address, user_agent) ON known_devices TO freehold_platform;
