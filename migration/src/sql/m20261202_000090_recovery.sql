-- A lost second factor: another mailbox of a person's, and what they ask for through it after the right password.

-- A recovery address: one that is proven, and one that waits for its proof, of each person. What is over keeps no address
-- and counts towards the limit of letters for an hour.
CREATE TABLE recovery_addresses (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    email bytea,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL,
    -- Until when the link works that proves it.
    expires_at timestamptz NOT NULL,
    verified_at timestamptz,
    ended_at timestamptz,
    CHECK ((email IS NULL) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX recovery_addresses_verified ON recovery_addresses (account_id)
    WHERE verified_at IS NOT NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX recovery_addresses_pending ON recovery_addresses (account_id)
    WHERE verified_at IS NULL AND ended_at IS NULL;
CREATE INDEX recovery_addresses_account ON recovery_addresses (account_id, created_at);
CREATE INDEX recovery_addresses_over ON recovery_addresses (expires_at) WHERE verified_at IS NULL OR ended_at IS NOT NULL;

-- A recovery that somebody with the password asked for: one that is open of each person. The token goes to the recovery
-- address; what stops it goes to every address. Those that are over count towards the limit for a day.
CREATE TABLE recovery_requests (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    -- There is none before an administrator has approved it, where that is demanded.
    token_hash bytea UNIQUE CHECK (length(token_hash) = 32),
    stop_hash bytea NOT NULL UNIQUE CHECK (length(stop_hash) = 32),
    approval text NOT NULL CHECK (approval IN ('none', 'wanted', 'given')),
    -- Since when one has been open without a break: asking again does not begin the waiting time anew.
    begun_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_by uuid,
    decided_at timestamptz,
    ended_at timestamptz,
    CHECK ((token_hash IS NULL) = (approval = 'wanted'))
);
CREATE UNIQUE INDEX recovery_requests_open ON recovery_requests (account_id) WHERE ended_at IS NULL;
CREATE INDEX recovery_requests_account ON recovery_requests (account_id, created_at);
CREATE INDEX recovery_requests_wanted ON recovery_requests (id) WHERE approval = 'wanted' AND ended_at IS NULL;
CREATE INDEX recovery_requests_created ON recovery_requests (created_at);

GRANT SELECT, INSERT, DELETE ON recovery_addresses, recovery_requests TO freehold_application, freehold_platform;
GRANT UPDATE (email, verified_at, ended_at) ON recovery_addresses TO freehold_application, freehold_platform;
GRANT UPDATE (token_hash, approval, not_before, expires_at, decided_by, decided_at, ended_at) ON recovery_requests
    TO freehold_application, freehold_platform;
