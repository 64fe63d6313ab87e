-- What each sign-in and each entry of the record pays for.

-- PostgreSQL tries the policies of a table in no order that could be relied on, and asked for every word of every entry
-- whether it is about a managed account. In one policy the cheap answers come first.
DROP POLICY tenant_managed_insert ON audit_entries;
DROP POLICY tenant_managed_insert ON audit_personal;
DROP POLICY tenant_managed_insert ON audit_words;
ALTER POLICY tenant_insert ON audit_entries WITH CHECK (
    organization_id = (SELECT current_organization()) OR organization_id = platform_organization()
    OR is_about_managed(organization_id, target_type, target_id, actor_id));
ALTER POLICY tenant_insert ON audit_personal WITH CHECK (
    organization_id = (SELECT current_organization()) OR organization_id = platform_organization()
    OR is_own_entry(organization_id, id));
ALTER POLICY tenant_insert ON audit_words WITH CHECK (
    organization_id = (SELECT current_organization()) OR organization_id = platform_organization()
    OR is_own_entry(organization_id, entry_id));

-- The roles that one's own teams give, with spaces between. The policies of the three tables name each other, and a plan
-- that unfolds them has some fifty parts to begin with, at every sign-in; this one is made once a connection.
CREATE FUNCTION own_team_roles(organization uuid, membership uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN (SELECT string_agg(DISTINCT t.role, ' ') FROM memberships m
            JOIN team_members x ON x.organization_id = m.organization_id AND x.membership_id = m.id
            JOIN teams t ON t.organization_id = x.organization_id AND t.id = x.team_id
            WHERE m.id = membership AND m.organization_id = organization AND m.account_id = current_account());
END $$;
REVOKE ALL ON FUNCTION own_team_roles(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION own_team_roles(uuid, uuid) TO freehold_application, freehold_platform;
