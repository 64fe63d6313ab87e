-- How often who was let through or refused, a row a day: what a proposed change of the policy is held against.
--
-- People and services are here by id only. The guards count in memory and add to these rows every few seconds.

CREATE TABLE decision_counts (
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    operation text NOT NULL CHECK (operation ~ '^[a-z][a-z0-9_]{0,62}$'),
    -- The account or service account; no reference, so that whoever is counted can't stand against being removed.
    who uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('account', 'service')),
    -- 'allowed', or the code of the refusal.
    outcome text NOT NULL CHECK (outcome ~ '^[a-z][a-z0-9_]{0,62}$'),
    -- Whether the object was the caller's own, where the policy has a rule for that.
    own boolean NOT NULL,
    -- In UTC.
    day date NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (organization_id, operation, who, outcome, own, day)
);
CREATE INDEX decision_counts_day ON decision_counts (day);
CREATE INDEX decision_counts_who ON decision_counts (who);

ALTER TABLE decision_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE decision_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON decision_counts TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_all ON decision_counts TO freehold_platform USING (true) WITH CHECK (true);
CREATE POLICY tenant_read ON decision_counts FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()));

-- Only the guards count, and only the clean-up and an erasure remove.
GRANT SELECT ON decision_counts TO freehold_application;
GRANT SELECT, INSERT, DELETE ON decision_counts TO freehold_platform;
GRANT UPDATE (count) ON decision_counts TO freehold_platform;
