-- Managed accounts: the organisation that an account is managed by, if any, and what it reads about it.

-- Who blocked an account undoes it: the platform where there is no organisation.
ALTER TABLE accounts
    ADD COLUMN managed_by uuid REFERENCES organizations ON DELETE SET NULL,
    ADD COLUMN blocked_by uuid REFERENCES organizations ON DELETE SET NULL,
    ADD CONSTRAINT accounts_manager_is_tenant CHECK (managed_by <> '00000000-0000-7000-8000-000000000001');
CREATE INDEX accounts_managed ON accounts (managed_by, id) WHERE managed_by IS NOT NULL;
CREATE INDEX accounts_blocked_by ON accounts (blocked_by) WHERE blocked_by IS NOT NULL;

GRANT UPDATE (managed_by, blocked_by) ON accounts TO freehold_platform;

-- Events about an account are in the record of the organisation that manages it, whichever tenant the transaction is in.
-- Nothing else of another organisation's record can be written.
CREATE FUNCTION is_about_managed(organization uuid, kind text, target uuid, actor uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (
        SELECT FROM accounts a WHERE a.managed_by = organization AND a.id = CASE kind
            WHEN 'account' THEN target
            WHEN 'session' THEN coalesce((SELECT s.account_id FROM sessions s WHERE s.id = target), actor)
            WHEN 'known_device' THEN actor
        END)
$$;
-- Words and what is personal are added to an entry by the transaction that added the entry.
CREATE FUNCTION is_own_entry(organization uuid, entry uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (SELECT FROM audit_entries e WHERE e.id = entry AND e.organization_id = organization
                   AND e.xmin = pg_current_xact_id()::xid)
$$;
CREATE POLICY tenant_managed_insert ON audit_entries FOR INSERT TO freehold_application
    WITH CHECK (is_about_managed(organization_id, target_type, target_id, actor_id));
CREATE POLICY tenant_managed_insert ON audit_personal FOR INSERT TO freehold_application
    WITH CHECK (is_own_entry(organization_id, id));
CREATE POLICY tenant_managed_insert ON audit_words FOR INSERT TO freehold_application
    WITH CHECK (is_own_entry(organization_id, entry_id));
