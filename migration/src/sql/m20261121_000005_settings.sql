-- Settings: what the platform and each organisation have decided for themselves, and every version of it.
--
-- One row an organisation, and so one version; an organisation without a row is at version 1 and has set nothing.
-- The row of the platform's own organisation is what holds platform-wide: every transaction may read it, and only
-- one in the platform's organisation writes it.

CREATE TABLE settings (
    organization_id uuid PRIMARY KEY REFERENCES organizations ON DELETE CASCADE,
    document jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    version integer NOT NULL CHECK (version > 1),
    updated_by uuid REFERENCES accounts ON DELETE SET NULL,
    updated_at timestamptz NOT NULL
);

-- Who changed what; only ever added to. changed_by refers to nobody, so that no removal of an account rewrites it.
CREATE TABLE settings_history (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 1),
    changes jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'array'),
    document jsonb NOT NULL CHECK (jsonb_typeof(document) = 'object'),
    changed_by uuid,
    changed_at timestamptz NOT NULL,
    CONSTRAINT settings_history_version_key UNIQUE (organization_id, version)
);
CREATE INDEX settings_history_page ON settings_history (organization_id, id);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['settings', 'settings_history'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_read ON %I FOR SELECT TO freehold_platform USING (true)', t);
        EXECUTE format('CREATE POLICY tenant_insert ON %I FOR INSERT TO freehold_application WITH CHECK (organization_id = (SELECT current_organization()))', t);
    END LOOP;
END $$;

CREATE POLICY tenant_read ON settings FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()) OR organization_id = platform_organization());
CREATE POLICY tenant_update ON settings FOR UPDATE TO freehold_application
    USING (organization_id = (SELECT current_organization())) WITH CHECK (organization_id = (SELECT current_organization()));
CREATE POLICY tenant_read ON settings_history FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()));

GRANT SELECT, INSERT, UPDATE (document, version, updated_by, updated_at) ON settings TO freehold_application;
GRANT SELECT, INSERT ON settings_history TO freehold_application;
GRANT SELECT ON settings, settings_history TO freehold_platform;

-- What an instance has in memory of an organisation's settings must go when they change.
CREATE FUNCTION notify_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'settings:' || coalesce(NEW.organization_id, OLD.organization_id));
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON settings FOR EACH ROW EXECUTE FUNCTION notify_settings();
