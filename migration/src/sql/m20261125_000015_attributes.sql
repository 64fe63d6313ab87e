-- Profile attributes: fields that an organisation declares for its members, and what they say there.

CREATE TABLE attributes (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- Key and type never change: clients and values depend on them.
    key text NOT NULL CHECK (key ~ '^[a-z][a-z0-9_]{0,47}$'),
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    description text CHECK (length(description) BETWEEN 1 AND 500),
    kind text NOT NULL CHECK (kind IN ('text', 'number', 'date', 'boolean', 'choice', 'email', 'phone', 'url')),
    options text[] NOT NULL,
    required boolean NOT NULL,
    visible_to text NOT NULL CHECK (visible_to IN ('admins', 'managers', 'person_and_admins', 'person_and_managers')),
    editable_by text NOT NULL CHECK (editable_by IN ('admins', 'managers', 'person_and_admins', 'person_and_managers')),
    -- What values are sealed in; nothing for values in clear.
    scope text CHECK (scope ~ '^[a-z][a-z0-9_]{0,30}$'),
    protected boolean NOT NULL GENERATED ALWAYS AS (scope IS NOT NULL) STORED,
    searchable boolean NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    archived_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT attributes_in_organization UNIQUE (organization_id, id, protected),
    CONSTRAINT attributes_key_key UNIQUE (organization_id, key),
    CHECK ((kind = 'choice') = (cardinality(options) > 0)),
    CHECK (cardinality(options) <= 100)
);

-- What a field says of a member, as one text whatever its type: in clear or sealed, as the attribute wants it. The
-- foreign key holds the two together, so clear text of a sealed attribute is refused by the database itself.
CREATE TABLE attribute_values (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    attribute_id uuid NOT NULL,
    membership_id uuid NOT NULL,
    clear text CHECK (length(clear) BETWEEN 1 AND 2000),
    sealed bytea,
    protected boolean NOT NULL GENERATED ALWAYS AS (sealed IS NOT NULL) STORED,
    -- What a searchable value in clear is found by.
    comparable text,
    -- Grows with every change of what it says; a value that is only sealed anew says what it said.
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    CONSTRAINT attribute_values_in_organization UNIQUE (organization_id, id),
    CONSTRAINT attribute_values_member_key UNIQUE (organization_id, membership_id, attribute_id),
    FOREIGN KEY (organization_id, attribute_id, protected) REFERENCES attributes (organization_id, id, protected)
        ON DELETE CASCADE,
    FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id) ON DELETE CASCADE,
    CHECK ((clear IS NULL) <> (sealed IS NULL)),
    CHECK (sealed IS NULL OR comparable IS NULL)
);
CREATE INDEX attribute_values_attribute ON attribute_values (organization_id, attribute_id, comparable);

-- What searchable values are found by that are sealed. A value is equal for equal texts of an attribute under one key.
CREATE TABLE attribute_matches (
    organization_id uuid NOT NULL,
    value_id uuid NOT NULL,
    value bytea NOT NULL,
    key_id uuid NOT NULL REFERENCES data_keys,
    PRIMARY KEY (organization_id, value_id, value),
    FOREIGN KEY (organization_id, value_id) REFERENCES attribute_values (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX attribute_matches_value ON attribute_matches (organization_id, value);
CREATE INDEX attribute_matches_key ON attribute_matches (key_id);
CREATE TRIGGER refuse_dead_key BEFORE INSERT ON attribute_matches FOR EACH ROW EXECUTE FUNCTION refuse_dead_key();

---------------------------------------------------------------------------------------------- row-level security

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['attributes', 'attribute_values', 'attribute_matches'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY tenant_all ON %I TO freehold_application USING (organization_id = (SELECT current_organization()))
            WITH CHECK (organization_id = (SELECT current_organization()))', t);
    END LOOP;
END $$;

------------------------------------------------------------------------------------------------------ privileges

GRANT SELECT, INSERT, DELETE ON attributes, attribute_values, attribute_matches TO freehold_application;
GRANT UPDATE (label, description, options, required, visible_to, editable_by, scope, searchable, position, archived_at,
    version, updated_at) ON attributes TO freehold_application;
GRANT UPDATE (clear, sealed, comparable, version, updated_at) ON attribute_values TO freehold_application;
-- A rotation seals values anew, and makes and removes what they are found by.
GRANT SELECT ON attributes, attribute_values TO freehold_platform;
GRANT UPDATE (sealed) ON attribute_values TO freehold_platform;
GRANT SELECT, INSERT, DELETE ON attribute_matches TO freehold_platform;
