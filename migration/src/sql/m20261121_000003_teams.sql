-- Teams: some members of an organisation together, with a role that the team gives each of them beside their own.
--
-- A team, its members and the invitations to it are of one organisation: the foreign keys include it.

ALTER TABLE memberships ADD CONSTRAINT memberships_in_organization UNIQUE (organization_id, id);
DROP INDEX memberships_page;
ALTER TABLE invitations ADD CONSTRAINT invitations_in_organization UNIQUE (organization_id, id);
DROP INDEX invitations_page;

CREATE TABLE teams (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- The name in lower case, as the server makes it: the database's own idea of that depends on its locale.
    name_key text NOT NULL,
    description text CHECK (length(description) BETWEEN 1 AND 500),
    role text CHECK (role ~ '^[a-z][a-z0-9_]{0,62}$'),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT teams_in_organization UNIQUE (organization_id, id),
    CONSTRAINT teams_name_key UNIQUE (organization_id, name_key),
    -- An owner is one by name: nobody becomes one by the way, and the last one can be counted.
    CONSTRAINT teams_role CHECK (role NOT IN ('owner', 'platform_admin'))
);

CREATE TABLE team_members (
    organization_id uuid NOT NULL,
    team_id uuid NOT NULL,
    membership_id uuid NOT NULL,
    PRIMARY KEY (organization_id, team_id, membership_id),
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX team_members_membership ON team_members (organization_id, membership_id);

CREATE TABLE invitation_teams (
    organization_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    team_id uuid NOT NULL,
    PRIMARY KEY (organization_id, invitation_id, team_id),
    FOREIGN KEY (organization_id, invitation_id) REFERENCES invitations (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX invitation_teams_team ON invitation_teams (organization_id, team_id);

---------------------------------------------------------------------------------------------- row-level security

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['teams', 'team_members', 'invitation_teams'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY tenant_all ON %I TO freehold_application USING (organization_id = (SELECT current_organization()))
            WITH CHECK (organization_id = (SELECT current_organization()))', t);
    END LOOP;
END $$;

-- A person sees their own places in teams everywhere, as they see their own memberships: what a session may is read
-- before it is known where it is.
CREATE POLICY own_read ON team_members FOR SELECT TO freehold_application USING (
    EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = team_members.organization_id
            AND m.id = team_members.membership_id AND m.account_id = (SELECT current_account()))
);
CREATE POLICY own_read ON teams FOR SELECT TO freehold_application USING (
    EXISTS (SELECT 1 FROM team_members x
            JOIN memberships m ON m.organization_id = x.organization_id AND m.id = x.membership_id
            WHERE x.organization_id = teams.organization_id AND x.team_id = teams.id
            AND m.account_id = (SELECT current_account()))
);

------------------------------------------------------------------------------------------------------ privileges

GRANT SELECT, INSERT, DELETE ON teams TO freehold_application, freehold_platform;
GRANT UPDATE (name, name_key, description, role, version, updated_at) ON teams TO freehold_application;
GRANT SELECT, INSERT, DELETE ON team_members, invitation_teams TO freehold_application, freehold_platform;

--------------------------------------------------------------------------------------------------- notifications

-- What a session may changes with a place in a team and with what a team gives.
CREATE FUNCTION notify_team_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE person uuid;
BEGIN
    IF TG_TABLE_NAME = 'teams' THEN
        PERFORM pg_notify('freehold_changes', 'organization:' || OLD.organization_id);
        RETURN NULL;
    END IF;
    SELECT account_id INTO person FROM memberships WHERE id = coalesce(NEW.membership_id, OLD.membership_id);
    -- A membership that has gone has said so itself.
    IF person IS NOT NULL THEN
        PERFORM pg_notify('freehold_changes', 'account:' || person);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER UPDATE OF role OR DELETE ON teams FOR EACH ROW EXECUTE FUNCTION notify_team_change();
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON team_members
    FOR EACH ROW EXECUTE FUNCTION notify_team_change();
