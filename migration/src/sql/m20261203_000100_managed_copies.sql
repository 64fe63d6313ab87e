-- A manager's copy of what is about a passkey or a trusted device, whichever organisation somebody works in meanwhile. A
-- passkey that is gone was its owner's who removed it.
CREATE OR REPLACE FUNCTION is_about_managed(organization uuid, kind text, target uuid, actor uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT EXISTS (
        SELECT FROM accounts a WHERE a.managed_by = organization AND a.id = CASE kind
            WHEN 'account' THEN target
            WHEN 'session' THEN coalesce((SELECT s.account_id FROM sessions s WHERE s.id = target), actor)
            WHEN 'passkey' THEN coalesce((SELECT p.account_id FROM passkeys p WHERE p.id = target), actor)
            WHEN 'known_device' THEN actor
            WHEN 'trusted_device' THEN actor
        END)
$$;
