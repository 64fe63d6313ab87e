-- How many people have which second factor, by role and day (MFA-6).

-- What a person can prove beside the password, by name.
CREATE FUNCTION second_factor_methods(account uuid) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT array_remove(ARRAY[
        CASE WHEN EXISTS (SELECT FROM totp_factors WHERE account_id = account AND confirmed_at IS NOT NULL) THEN 'totp' END,
        CASE WHEN EXISTS (SELECT FROM passkeys WHERE account_id = account) THEN 'passkey' END,
        CASE WHEN EXISTS (SELECT FROM email_codes WHERE account_id = account AND enabled_at IS NOT NULL) THEN 'email_code' END
    ], NULL)
$$;

-- The last count of each day.
CREATE TABLE second_factor_counts (
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- In UTC.
    day date NOT NULL,
    -- The roles that these people have, directly or by teams, with spaces between.
    roles text NOT NULL CHECK (roles ~ '^[a-z][a-z0-9_]{0,62}( [a-z][a-z0-9_]{0,62})*$'),
    people bigint NOT NULL CHECK (people > 0),
    -- How many of them have one at all.
    enrolled bigint NOT NULL CHECK (enrolled BETWEEN 0 AND people),
    -- By method, how many of them have it.
    methods jsonb NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, day, roles)
);
CREATE INDEX second_factor_counts_day ON second_factor_counts (day);

ALTER TABLE second_factor_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE second_factor_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON second_factor_counts TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_all ON second_factor_counts TO freehold_platform USING (true) WITH CHECK (true);
CREATE POLICY tenant_read ON second_factor_counts FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()));

-- Only the job counts, and only it removes.
GRANT SELECT ON second_factor_counts TO freehold_application;
GRANT SELECT, INSERT, DELETE ON second_factor_counts TO freehold_platform;
