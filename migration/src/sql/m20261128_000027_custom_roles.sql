-- Custom roles: an organisation's own sets of permissions, held beside the roles of the installation.
--
-- A permission is an operation's name in the registry. What the registry does not let a custom role have counts for
-- nothing, whatever is written here.

CREATE TABLE custom_roles (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- The name in lower case, as the server makes it.
    name_key text NOT NULL,
    description text CHECK (length(description) BETWEEN 1 AND 500),
    permissions text[] NOT NULL CHECK (cardinality(permissions) BETWEEN 1 AND 1000 AND array_position(permissions, NULL) IS NULL),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT custom_roles_in_organization UNIQUE (organization_id, id),
    CONSTRAINT custom_roles_name_key UNIQUE (organization_id, name_key)
);

-- Who holds one: a member, everybody in a team, a service account; or whoever will accept an invitation.
CREATE TABLE custom_role_grants (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    custom_role_id uuid NOT NULL,
    membership_id uuid,
    team_id uuid,
    service_account_id uuid,
    invitation_id uuid,
    CHECK (num_nonnulls(membership_id, team_id, service_account_id, invitation_id) = 1),
    FOREIGN KEY (organization_id, custom_role_id) REFERENCES custom_roles (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, service_account_id) REFERENCES service_accounts (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, invitation_id) REFERENCES invitations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX custom_role_grants_role ON custom_role_grants (organization_id, custom_role_id);
CREATE UNIQUE INDEX custom_role_grants_member ON custom_role_grants (organization_id, membership_id, custom_role_id)
    WHERE membership_id IS NOT NULL;
CREATE UNIQUE INDEX custom_role_grants_team ON custom_role_grants (organization_id, team_id, custom_role_id)
    WHERE team_id IS NOT NULL;
CREATE UNIQUE INDEX custom_role_grants_service ON custom_role_grants (organization_id, service_account_id, custom_role_id)
    WHERE service_account_id IS NOT NULL;
CREATE UNIQUE INDEX custom_role_grants_invitation ON custom_role_grants (organization_id, invitation_id, custom_role_id)
    WHERE invitation_id IS NOT NULL;

---------------------------------------------------------------------------------------------- row-level security

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['custom_roles', 'custom_role_grants'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_read ON %I FOR SELECT TO freehold_platform USING (true)', t);
        EXECUTE format('CREATE POLICY tenant_all ON %I TO freehold_application USING (organization_id = (SELECT current_organization()))
            WITH CHECK (organization_id = (SELECT current_organization()))', t);
    END LOOP;
END $$;

------------------------------------------------------------------------------------------------------ privileges

GRANT SELECT, INSERT, DELETE ON custom_roles, custom_role_grants TO freehold_application;
GRANT UPDATE (name, name_key, description, permissions, version, updated_at) ON custom_roles TO freehold_application;
GRANT SELECT ON custom_roles, custom_role_grants TO freehold_platform;

-- What one's own custom roles let one do, directly and by teams, with spaces between. A function for the reasons of
-- `own_team_roles`: it is asked at every sign-in.
CREATE FUNCTION own_custom_permissions(organization uuid, membership uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN (SELECT string_agg(DISTINCT p.operation, ' ') FROM custom_role_grants g
            JOIN custom_roles r ON r.organization_id = g.organization_id AND r.id = g.custom_role_id
            CROSS JOIN unnest(r.permissions) AS p (operation)
            WHERE g.organization_id = organization
              AND (g.membership_id = membership OR g.team_id IN (
                  SELECT x.team_id FROM team_members x
                  WHERE x.organization_id = organization AND x.membership_id = membership))
              AND EXISTS (SELECT FROM memberships m WHERE m.organization_id = organization AND m.id = membership
                          AND m.account_id = current_account()));
END $$;
REVOKE ALL ON FUNCTION own_custom_permissions(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_custom_permissions(uuid, uuid) TO freehold_application, freehold_platform;

--------------------------------------------------------------------------------------------------- notifications

-- What a session or a key may changes with what a custom role lets its holders do, and with who holds it.
CREATE FUNCTION notify_custom_role_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held jsonb := to_jsonb(coalesce(NEW, OLD));
    person uuid;
BEGIN
    IF TG_TABLE_NAME = 'custom_roles' OR held->>'team_id' IS NOT NULL THEN
        PERFORM pg_notify('freehold_changes', 'organization:' || (held->>'organization_id'));
    ELSIF held->>'service_account_id' IS NOT NULL THEN
        PERFORM pg_notify('freehold_changes', 'service:' || (held->>'service_account_id'));
    ELSIF held->>'membership_id' IS NOT NULL THEN
        SELECT account_id INTO person FROM memberships WHERE id = (held->>'membership_id')::uuid;
        -- A membership that has gone has said so itself.
        IF person IS NOT NULL THEN
            PERFORM pg_notify('freehold_changes', 'account:' || person);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER UPDATE OF name, permissions OR DELETE ON custom_roles
    FOR EACH ROW EXECUTE FUNCTION notify_custom_role_change();
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON custom_role_grants
    FOR EACH ROW EXECUTE FUNCTION notify_custom_role_change();

--------------------------------------------------------------------------------------------------------- history

ALTER TABLE access_history ADD COLUMN custom_role_id uuid;
ALTER TABLE access_history ADD COLUMN permissions text[];
ALTER TABLE access_history DROP CONSTRAINT access_history_kind_check;
ALTER TABLE access_history ADD CONSTRAINT access_history_kind_check CHECK (kind IN (
    'membership', 'team', 'team_member', 'service_account',
    'custom_role', 'membership_custom_role', 'team_custom_role', 'service_account_custom_role'));
ALTER TABLE access_history ADD CONSTRAINT access_history_custom_role_check CHECK (
    (kind = 'custom_role') = (permissions IS NOT NULL) AND (kind LIKE '%\_custom\_role') = (custom_role_id IS NOT NULL));
CREATE INDEX access_history_grants_of_role ON access_history (organization_id, custom_role_id, at DESC, id DESC)
    WHERE custom_role_id IS NOT NULL;

-- As before, and who holds which custom role. The object of that is the holder: a membership, team or service account.
CREATE OR REPLACE FUNCTION keep_access_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    row jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    actor text := nullif(current_setting('freehold.actor', true), '');
    what text := TG_ARGV[0];
    permissions text[];
BEGIN
    -- An organisation that is removed takes its history along.
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM organizations WHERE id = (row->>'organization_id')::uuid) THEN
        RETURN NULL;
    END IF;
    IF actor IS NULL THEN
        actor := CASE
            WHEN current_account() IS NOT NULL THEN 'account:' || current_account()
            WHEN current_setting('freehold.organization', true) IS NULL THEN 'database'
            ELSE 'system'
        END;
    END IF;
    IF what = 'custom_role' THEN
        permissions := ARRAY(SELECT jsonb_array_elements_text(row->'permissions'));
    ELSIF what = 'custom_role_grant' THEN
        what := CASE
            WHEN row->>'membership_id' IS NOT NULL THEN 'membership_custom_role'
            WHEN row->>'team_id' IS NOT NULL THEN 'team_custom_role'
            ELSE 'service_account_custom_role'
        END;
    END IF;
    INSERT INTO access_history (organization_id, kind, object_id, account_id, team_id, custom_role_id, permissions, change,
        role, name, status, at, actor_type, actor_id, request_id)
    VALUES (
        (row->>'organization_id')::uuid,
        what,
        (row->>CASE what
            WHEN 'team_member' THEN 'membership_id'
            WHEN 'membership_custom_role' THEN 'membership_id'
            WHEN 'team_custom_role' THEN 'team_id'
            WHEN 'service_account_custom_role' THEN 'service_account_id'
            ELSE 'id'
        END)::uuid,
        CASE what WHEN 'membership' THEN (row->>'account_id')::uuid END,
        CASE what WHEN 'team_member' THEN (row->>'team_id')::uuid END,
        (row->>'custom_role_id')::uuid,
        permissions,
        CASE TG_OP WHEN 'INSERT' THEN 'began' WHEN 'UPDATE' THEN 'changed' ELSE 'ended' END,
        row->>'role',
        row->>'name',
        row->>CASE what WHEN 'membership' THEN 'status' ELSE 'state' END,
        clock_timestamp(),
        split_part(actor, ':', 1),
        nullif(split_part(actor, ':', 2), '')::uuid,
        nullif(current_setting('freehold.request', true), '')
    );
    RETURN NULL;
END $$;

CREATE TRIGGER keep_history_of_comings AFTER INSERT OR DELETE ON custom_roles
    FOR EACH ROW EXECUTE FUNCTION keep_access_history('custom_role');
CREATE TRIGGER keep_history_of_changes AFTER UPDATE OF name, permissions ON custom_roles
    FOR EACH ROW WHEN ((OLD.name, OLD.permissions) IS DISTINCT FROM (NEW.name, NEW.permissions))
    EXECUTE FUNCTION keep_access_history('custom_role');
-- An invitation gives nothing until somebody accepts it.
CREATE TRIGGER keep_history_of_gifts AFTER INSERT ON custom_role_grants
    FOR EACH ROW WHEN (NEW.invitation_id IS NULL) EXECUTE FUNCTION keep_access_history('custom_role_grant');
CREATE TRIGGER keep_history_of_losses AFTER DELETE ON custom_role_grants
    FOR EACH ROW WHEN (OLD.invitation_id IS NULL) EXECUTE FUNCTION keep_access_history('custom_role_grant');
