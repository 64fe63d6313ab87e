-- Alerts: what rules found in the record, what became of it, and who is told.
--
-- The leader looks at what is new in the record and counts; people acknowledge, mute and make rules of their own. What is
-- personal (the address that something came from, what somebody wrote) is sealed; what is counted together is named by a
-- keyed hash.

CREATE TABLE alert_rules (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- The name in lower case, as the server makes it.
    name_key text NOT NULL,
    -- It waits for entries of one type, or for all that matter at least so much.
    event text,
    at_least text CHECK (at_least IN ('low', 'medium', 'high', 'critical')),
    count integer NOT NULL CHECK (count BETWEEN 1 AND 100000),
    minutes integer NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    by text NOT NULL CHECK (by IN ('actor', 'address', 'organization')),
    severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    enabled boolean NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (num_nonnulls(event, at_least) = 1),
    CONSTRAINT alert_rules_name_key UNIQUE (organization_id, name_key)
);

CREATE TABLE alerts (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- The name of a rule of the installation's, or the id of one of the organisation's own; and what it was called.
    rule text NOT NULL,
    title text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    -- What is counted together; 'rest' is everything beyond the most open alerts of a rule.
    by text NOT NULL CHECK (by IN ('actor', 'address', 'organization', 'rest')),
    subject bytea NOT NULL,
    actor_type text,
    actor_id uuid,
    address bytea,
    count bigint NOT NULL CHECK (count > 0),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    -- By the database's clock, in the order in which alerts are raised.
    raised_at timestamptz NOT NULL,
    -- The latest entries that it is made of, at most ten.
    entries uuid[] NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'acknowledged')),
    decided_by uuid,
    decided_at timestamptz,
    note bytea,
    muted_until timestamptz,
    -- When people were told of it at once, if it is critical.
    told_at timestamptz,
    version integer NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX alerts_open_key ON alerts (organization_id, rule, subject) WHERE state = 'open';
CREATE INDEX alerts_page ON alerts (organization_id, id);
CREATE INDEX alerts_raised ON alerts (raised_at) WHERE state = 'open';
CREATE INDEX alerts_untold ON alerts (organization_id, raised_at) WHERE state = 'open' AND severity = 'critical' AND told_at IS NULL;
CREATE INDEX alerts_told ON alerts (organization_id, told_at) WHERE told_at IS NOT NULL;
CREATE INDEX alerts_actor ON alerts (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX alerts_decided ON alerts (decided_at) WHERE state = 'acknowledged';

-- How much of something came in which part of a window, while no alert about it is open.
CREATE TABLE alert_counts (
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    rule text NOT NULL,
    subject bytea NOT NULL,
    -- Parts of the rule's window since 1970.
    part bigint NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    first_at timestamptz NOT NULL,
    -- When it counts no more.
    until timestamptz NOT NULL,
    PRIMARY KEY (organization_id, rule, subject, part)
);
CREATE INDEX alert_counts_until ON alert_counts (until);

CREATE TABLE alert_mutes (
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    rule text NOT NULL,
    muted_until timestamptz NOT NULL,
    muted_by uuid,
    muted_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, rule)
);

-- What a person wants to be told of an organisation's alerts. Without a row, what the server has by default.
CREATE TABLE alert_preferences (
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    digest text NOT NULL CHECK (digest IN ('off', 'hourly', 'daily', 'weekly')),
    minimum_severity text NOT NULL CHECK (minimum_severity IN ('low', 'medium', 'high', 'critical')),
    critical_at_once boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, account_id)
);
CREATE INDEX alert_preferences_account ON alert_preferences (account_id);

-- Up to which alert, by when it was raised, a person has been told in digests.
CREATE TABLE alert_digests (
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    told_until timestamptz NOT NULL,
    PRIMARY KEY (organization_id, account_id)
);
CREATE INDEX alert_digests_account ON alert_digests (account_id);

-- How far the record has been looked at: every entry of a transaction numbered below `below` has been, and none other.
-- No transaction numbered `below` or more began to write before `since`; the same holds of `ahead` and `ahead_at`.
CREATE TABLE alert_progress (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    below bigint NOT NULL,
    since timestamptz NOT NULL,
    ahead bigint NOT NULL,
    ahead_at timestamptz NOT NULL
);
-- What was there before is no news.
INSERT INTO alert_progress (below, since, ahead, ahead_at)
SELECT next, clock_timestamp(), next, clock_timestamp()
FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) s;

-- How many answers of each kind of error all instances gave, by the minute.
CREATE TABLE error_counts (
    minute timestamptz NOT NULL,
    code text NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
    status smallint NOT NULL CHECK (status BETWEEN 400 AND 599),
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (minute, code)
);

---------------------------------------------------------------------------------------------- row-level security

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['alert_rules', 'alerts', 'alert_counts', 'alert_mutes', 'alert_preferences', 'alert_digests'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY tenant_all ON %I TO freehold_application USING (organization_id = (SELECT current_organization()))
            WITH CHECK (organization_id = (SELECT current_organization()))', t);
    END LOOP;
END $$;

------------------------------------------------------------------------------------------------------ privileges

GRANT SELECT, INSERT, DELETE ON alert_rules TO freehold_application;
GRANT UPDATE (name, name_key, event, at_least, count, minutes, by, severity, enabled, version, updated_at) ON alert_rules
    TO freehold_application;
GRANT SELECT ON alert_rules TO freehold_platform;

-- Alerts are raised by the leader alone; people say what becomes of them.
GRANT SELECT ON alerts TO freehold_application;
GRANT UPDATE (state, decided_by, decided_at, note, muted_until, version) ON alerts TO freehold_application;
GRANT SELECT, INSERT, DELETE ON alerts TO freehold_platform;
GRANT UPDATE (count, first_at, last_at, entries, told_at, address, note) ON alerts TO freehold_platform;

GRANT SELECT, DELETE ON alert_counts TO freehold_application;
GRANT SELECT, INSERT, DELETE ON alert_counts TO freehold_platform;
GRANT UPDATE (count, first_at) ON alert_counts TO freehold_platform;

GRANT SELECT, INSERT, DELETE ON alert_mutes TO freehold_application;
GRANT UPDATE (muted_until, muted_by, muted_at) ON alert_mutes TO freehold_application;
GRANT SELECT, DELETE ON alert_mutes TO freehold_platform;

GRANT SELECT, INSERT ON alert_preferences TO freehold_application;
GRANT UPDATE (digest, minimum_severity, critical_at_once, updated_at) ON alert_preferences TO freehold_application;
GRANT SELECT, DELETE ON alert_preferences TO freehold_platform;

GRANT SELECT ON alert_digests TO freehold_application;
GRANT SELECT, INSERT, DELETE ON alert_digests TO freehold_platform;
GRANT UPDATE (told_until) ON alert_digests TO freehold_platform;

GRANT SELECT, UPDATE ON alert_progress TO freehold_platform;

GRANT SELECT, INSERT, DELETE ON error_counts TO freehold_platform;
GRANT UPDATE (count) ON error_counts TO freehold_platform;
