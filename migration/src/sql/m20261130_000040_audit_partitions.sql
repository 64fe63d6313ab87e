-- The record by month and class (AUD-7), so that what is over goes as a whole and what stays is not touched.
--
-- Parts are ranges of ids, which begin with their milliseconds (RFC 9562, 5.7), one a month; each is parted once more by
-- class. A search goes from the newest part to older ones and stops when it has enough. Indexes are each leaf's own: none
-- has to hold for all of them, because ids are random enough to be unique by themselves.
--
-- What was there before stays where it is and becomes the first part, both classes together, kept as long as the longer.
-- What it costs: nothing is rewritten, but each of the three tables is read once or twice to make sure that it ends where the
-- next part begins, and the entries twice more for two small indexes, while nobody else can use them.

SET LOCAL timezone = 'UTC';

CREATE FUNCTION audit_first_id(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- The parts that there are. Tables are named `audit_entries_<part>_<class>`, and so on.
CREATE TABLE audit_parts (
    part text NOT NULL CHECK (part ~ '^([0-9]{4}_[0-9]{2}|before)$'),
    class text NOT NULL CHECK (class IN ('normal', 'security', 'mixed')),
    -- From this moment on; null for the first.
    since timestamptz,
    -- Up to this moment.
    until timestamptz NOT NULL,
    PRIMARY KEY (part, class)
);

-- Words and what is personal go with their entries. The release before this one writes both without a class: then they
-- are kept as long as the longer.
ALTER TABLE audit_words ADD COLUMN class text NOT NULL DEFAULT 'security';
ALTER TABLE audit_personal ADD COLUMN class text NOT NULL DEFAULT 'security';
ALTER TABLE audit_entries VALIDATE CONSTRAINT audit_entries_form;

-- A trigger for each statement is that of the table that the statement names: each of the entries' tables has one.
CREATE FUNCTION audit_protect(entries text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF entries LIKE 'audit\_entries%' THEN
        EXECUTE format('CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', entries);
    END IF;
END $$;

-- What is rare and looked for: what is grave, and what did not succeed. Searches name these conditions word for word.
CREATE FUNCTION audit_index_rare(leaf text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE INDEX ON %I (organization_id, id) WHERE severity IN (''high'', ''critical'')', leaf);
    EXECUTE format('CREATE INDEX ON %I (organization_id, id) WHERE outcome <> ''success''', leaf);
END $$;

-- What each leaf has by itself.
CREATE FUNCTION audit_furnish(kind text, leaf text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CASE kind
        WHEN 'audit_entries' THEN
            EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (id)', leaf);
            EXECUTE format('CREATE INDEX ON %I (organization_id, id)', leaf);
            EXECUTE format('CREATE INDEX ON %I (organization_id, event, id)', leaf);
            EXECUTE format('CREATE INDEX ON %I (organization_id, actor_id, id)', leaf);
            EXECUTE format('CREATE INDEX ON %I (organization_id, target_id, id)', leaf);
            PERFORM audit_index_rare(leaf);
            PERFORM audit_protect(leaf);
        WHEN 'audit_words' THEN
            EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (organization_id, word, entry_id)', leaf);
        WHEN 'audit_personal' THEN
            EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (id)', leaf);
            EXECUTE format('CREATE UNIQUE INDEX ON %I (organization_id, id)', leaf);
            EXECUTE format('CREATE INDEX ON %I (account_id) WHERE account_id IS NOT NULL', leaf);
            EXECUTE format('CREATE INDEX ON %I (about_id) WHERE about_id IS NOT NULL', leaf);
    END CASE;
END $$;

-- Makes the part of a month. It is made aside and then attached, which waits for nobody who writes.
CREATE FUNCTION audit_make_part(name text, since timestamptz, until timestamptz, strays boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE kind text; branch text; leaf text; kept text; id text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['audit_entries', 'audit_words', 'audit_personal'] LOOP
        branch := kind || '_' || name;
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY LIST (class)', branch, kind);
        PERFORM audit_protect(branch);
        FOREACH kept IN ARRAY ARRAY['normal', 'security'] LOOP
            leaf := branch || '_' || kept;
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES IN (%L)', leaf, branch, kept);
            PERFORM audit_furnish(kind, leaf);
        END LOOP;
        IF strays THEN
            id := CASE kind WHEN 'audit_words' THEN 'entry_id' ELSE 'id' END;
            EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', kind || '_default');
            EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= $1 AND %I < $2 RETURNING *) INSERT INTO %I SELECT * FROM moved',
                kind || '_default', id, id, branch) USING audit_first_id(since), audit_first_id(until);
            EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', kind || '_default');
        END IF;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', kind, branch,
            audit_first_id(since), audit_first_id(until));
    END LOOP;
    INSERT INTO audit_parts SELECT name, c, since, until FROM unnest(ARRAY['normal', 'security']) c;
END $$;

DO $$
DECLARE kind text; id text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['audit_entries', 'audit_words', 'audit_personal'] LOOP
        id := CASE kind WHEN 'audit_words' THEN 'entry_id' ELSE 'id' END;
        EXECUTE format('ALTER TABLE %I RENAME TO %I', kind, kind || '_before_mixed');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (%I)',
            kind, kind || '_before_mixed', id);
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY LIST (class)',
            kind || '_before', kind);
        PERFORM audit_protect(kind || '_before');
    END LOOP;
END $$;

-- Who may do what is asked of the whole: the server's roles have no right to a part, and reach none around the policies.
DO $$
DECLARE kind text; p record;
BEGIN
    FOREACH kind IN ARRAY ARRAY['audit_entries', 'audit_words', 'audit_personal'] LOOP
        FOR p IN SELECT policyname FROM pg_policies WHERE tablename = kind || '_before_mixed' LOOP
            EXECUTE format('DROP POLICY %I ON %I', p.policyname, kind || '_before_mixed');
        END LOOP;
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', kind || '_before_mixed');
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', kind || '_before_mixed');
        EXECUTE format('REVOKE ALL ON %I FROM freehold_application, freehold_platform', kind || '_before_mixed');
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', kind);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', kind);
        EXECUTE format('CREATE POLICY owner_all ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', kind);
        EXECUTE format('CREATE POLICY platform_all ON %I TO freehold_platform USING (true) WITH CHECK (true)', kind);
        EXECUTE format('CREATE POLICY tenant_read ON %I FOR SELECT TO freehold_application
            USING (organization_id = (SELECT current_organization()))', kind);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO freehold_application, freehold_platform', kind);
    END LOOP;
END $$;
CREATE POLICY tenant_insert ON audit_entries FOR INSERT TO freehold_application WITH CHECK (
    organization_id = (SELECT current_organization()) OR organization_id = platform_organization()
    OR is_about_managed(organization_id, target_type, target_id, actor_id));
CREATE POLICY tenant_insert ON audit_personal FOR INSERT TO freehold_application WITH CHECK (
    organization_id = (SELECT current_organization()) OR organization_id = platform_organization()
    OR is_own_entry(organization_id, id));
CREATE POLICY tenant_insert ON audit_words FOR INSERT TO freehold_application WITH CHECK (
    organization_id = (SELECT current_organization()) OR organization_id = platform_organization()
    OR is_own_entry(organization_id, entry_id));
GRANT UPDATE (address, user_agent, details, origin_salt, details_salt), DELETE ON audit_personal TO freehold_platform;
SELECT audit_protect('audit_entries');
-- A trigger for each row is a part's as well; the old one would stand in the way of its like.
DROP TRIGGER forget_salt ON audit_personal_before_mixed;
CREATE TRIGGER forget_salt BEFORE UPDATE OF details ON audit_personal FOR EACH ROW
    WHEN (NEW.details IS NULL AND NEW.details_salt IS NOT NULL) EXECUTE FUNCTION forget_salt();

-- As before, but planned once a connection, for any part: it is asked of each word that is added to a manager's record, and
-- to plan a search of all parts takes longer than the search.
CREATE OR REPLACE FUNCTION is_own_entry(organization uuid, entry uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM audit_entries e WHERE e.id = entry AND e.organization_id = organization
                   AND e.xmin = pg_current_xact_id()::xid);
END $$;

-- The first part, the months from now on, and a place for whatever has none: an entry never fails for want of one. A new
-- installation's first month is parted by class; an old one's next.
DO $$
DECLARE kind text; bound timestamptz; month timestamptz;
BEGIN
    bound := date_trunc('month', now());
    IF EXISTS (SELECT FROM audit_entries_before_mixed) THEN
        bound := bound + interval '1 month';
    END IF;
    FOREACH kind IN ARRAY ARRAY['audit_entries', 'audit_words', 'audit_personal'] LOOP
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (''normal'', ''security'')', kind || '_before',
            kind || '_before_mixed');
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', kind, kind || '_before',
            audit_first_id(bound));
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', kind || '_default', kind);
        PERFORM audit_furnish(kind, kind || '_default');
    END LOOP;
    PERFORM audit_index_rare('audit_entries_before_mixed');
    INSERT INTO audit_parts VALUES ('before', 'mixed', NULL, bound);
    FOR ahead IN 0..3 LOOP
        month := bound + make_interval(months => ahead);
        PERFORM audit_make_part(to_char(month, 'YYYY_MM'), month, month + interval '1 month', false);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION audit_protect(text), audit_index_rare(text), audit_furnish(text, text), audit_make_part(text, timestamptz, timestamptz, boolean) FROM PUBLIC;
GRANT SELECT ON audit_parts TO freehold_platform;

-- Makes the parts of this month and of some to come that there are not yet, and says how many it has made. What was
-- written without a part is moved into it when its month is over: until then it would look as if it were written now.
CREATE FUNCTION audit_make_parts(ahead integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE month timestamptz; until timestamptz; made bigint := 0; strays boolean;
BEGIN
    IF ahead NOT BETWEEN 0 AND 24 THEN
        RAISE EXCEPTION 'that many months are not made ahead';
    END IF;
    FOR month IN
        SELECT m FROM generate_series((SELECT min(coalesce(p.since, p.until)) FROM audit_parts p),
            date_trunc('month', now()) + make_interval(months => ahead), interval '1 month') m
        WHERE NOT EXISTS (SELECT FROM audit_parts p WHERE p.part = to_char(m, 'YYYY_MM'))
    LOOP
        until := month + interval '1 month';
        strays := EXISTS (SELECT FROM audit_entries_default WHERE id >= audit_first_id(month) AND id < audit_first_id(until))
            OR EXISTS (SELECT FROM audit_words_default WHERE entry_id >= audit_first_id(month) AND entry_id < audit_first_id(until))
            OR EXISTS (SELECT FROM audit_personal_default WHERE id >= audit_first_id(month) AND id < audit_first_id(until));
        -- A month that is over and has no part was dropped.
        IF (strays AND now() < until + interval '1 day') OR (NOT strays AND until <= now()) THEN
            CONTINUE;
        END IF;
        PERFORM audit_make_part(to_char(month, 'YYYY_MM'), month, until, strays);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
-- How many entries have no part, up to a thousand: none in normal life.
CREATE FUNCTION audit_strays() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM (SELECT FROM audit_entries_default LIMIT 1000) s
$$;
REVOKE ALL ON FUNCTION audit_make_parts(integer), audit_strays() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_make_parts(integer), audit_strays() TO freehold_platform;
