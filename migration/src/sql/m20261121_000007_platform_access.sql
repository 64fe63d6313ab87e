-- Acting in: a platform administrator's own, reasoned and short access to a tenant's organisation.
--
-- The session stays in the platform's organisation; a running access lies over it and ends by itself, because
-- everybody who reads it looks at expires_at.

CREATE TABLE platform_access (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    account_id uuid REFERENCES accounts ON DELETE SET NULL,
    session_id uuid REFERENCES sessions ON DELETE SET NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('stopped', 'switched', 'expired', 'session_ended', 'authority_lost', 'organization_deleted')),
    CHECK (expires_at > started_at),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (organization_id <> '00000000-0000-7000-8000-000000000001')
);
CREATE INDEX platform_access_page ON platform_access (organization_id, id);
-- A session acts in one organisation at a time.
CREATE UNIQUE INDEX platform_access_running_key ON platform_access (session_id) WHERE ended_at IS NULL;
CREATE INDEX platform_access_account ON platform_access (account_id, organization_id);

ALTER TABLE platform_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_access FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON platform_access TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_all ON platform_access TO freehold_platform USING (true) WITH CHECK (true);
-- A tenant sees who was with them; a person sees where they were, and ends it.
CREATE POLICY tenant_read ON platform_access FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()) OR account_id = (SELECT current_account()));
CREATE POLICY own_end ON platform_access FOR UPDATE TO freehold_application
    USING (account_id = (SELECT current_account())) WITH CHECK (account_id = (SELECT current_account()));

-- Who acts in an organisation sees that it is there.
CREATE POLICY acting_read ON organizations FOR SELECT TO freehold_application USING (
    EXISTS (SELECT 1 FROM platform_access p
            WHERE p.organization_id = organizations.id AND p.account_id = (SELECT current_account()) AND p.ended_at IS NULL)
);

-- What was begun is never rewritten: only its end is added.
GRANT SELECT, UPDATE (ended_at, end_reason) ON platform_access TO freehold_application;
GRANT SELECT, INSERT, UPDATE (ended_at, end_reason) ON platform_access TO freehold_platform;

CREATE FUNCTION notify_platform_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'account:' || NEW.account_id);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE ON platform_access
    FOR EACH ROW WHEN (NEW.account_id IS NOT NULL) EXECUTE FUNCTION notify_platform_access();
