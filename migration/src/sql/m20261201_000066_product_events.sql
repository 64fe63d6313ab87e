-- Event types of a product's own (AUD-1): what an organisation's services record beside what the server does.
CREATE TABLE product_event_types (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- Never one of the catalogue's, which are of two words.
    code text NOT NULL CHECK (code ~ '^product(\.[a-z][a-z0-9_]*){1,4}$' AND length(code) <= 100),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
    meaning text NOT NULL CHECK (length(meaning) BETWEEN 1 AND 500),
    severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    class text NOT NULL CHECK (class IN ('normal', 'security')),
    target_type text NOT NULL CHECK (target_type ~ '^[a-z][a-z0-9_]{0,49}$'),
    -- What an event's metadata can have: a name, a meaning, and whether it is personal.
    details jsonb NOT NULL CHECK (jsonb_typeof(details) = 'array'),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Nothing is recorded under it since; what was keeps its meaning.
    retired_at timestamptz,
    CONSTRAINT product_event_types_code_key UNIQUE (organization_id, code)
);

ALTER TABLE product_event_types ENABLE ROW LEVEL SECURITY;
ALTER TABLE product_event_types FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON product_event_types TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_all ON product_event_types TO freehold_platform USING (true) WITH CHECK (true);
CREATE POLICY tenant_all ON product_event_types TO freehold_application
    USING (organization_id = (SELECT current_organization()))
    WITH CHECK (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT ON product_event_types TO freehold_application, freehold_platform;
GRANT UPDATE (title, meaning, severity, details, updated_at, retired_at) ON product_event_types
    TO freehold_application, freehold_platform;
