-- How parts of the record end (AUD-7), and what is held against that.

-- Holds on the record of an organisation: nothing of it is dropped while one stands. It has no foreign key, because the
-- record of an organisation outlives it.
CREATE TABLE legal_holds (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    -- Sealed: what somebody wrote.
    reason bytea,
    placed_by uuid,
    placed_at timestamptz NOT NULL,
    released_by uuid,
    released_at timestamptz,
    release_reason bytea
);
CREATE UNIQUE INDEX legal_holds_standing_key ON legal_holds (organization_id) WHERE released_at IS NULL;
GRANT SELECT, INSERT ON legal_holds TO freehold_platform;
GRANT UPDATE (reason, released_by, released_at, release_reason) ON legal_holds TO freehold_platform;

-- Drops what is over of a part: everything but the entries of these organisations, of those that are held, and of what
-- says what was dropped. Those are copied aside, and the copy takes the place of the part, in one transaction. Says how
-- much of whom went, and in a row of nobody how much stays; nothing when there was nothing to be dropped.
--
-- The server's role can do this and no more: what is younger than a year, or two, or not sealed, nobody drops with it.
CREATE FUNCTION audit_drop(wanted text, of_class text, keep uuid[]) RETURNS TABLE (organization_id uuid, entries bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
    p audit_parts; kind text; branch text; leaf text; record text := format('audit_entries_%s_%s', wanted, of_class);
    id text; stays uuid[]; gone jsonb; rest bigint; unsealed boolean; kinds text[] := '{audit_entries,audit_words,audit_personal}';
BEGIN
    SELECT * INTO p FROM audit_parts a WHERE a.part = wanted AND a.class = of_class FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p.until > now() - make_interval(days => CASE of_class WHEN 'normal' THEN 365 ELSE 730 END) THEN
        RAISE EXCEPTION 'this part of the record is kept longer';
    END IF;
    -- Seals and checkpoints are written together; a chain that somebody has broken settles nothing any more.
    IF NOT coalesce((SELECT s.settled >= p.until FROM audit_sealing s), false) THEN
        RAISE EXCEPTION 'this part of the record is not sealed';
    END IF;
    -- Whoever places a hold from here on finds what this leaves.
    LOCK TABLE legal_holds IN SHARE MODE;
    stays := keep || ARRAY(SELECT h.organization_id FROM legal_holds h WHERE h.released_at IS NULL);
    FOREACH kind IN ARRAY kinds LOOP
        EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', format('%s_%s_%s', kind, wanted, of_class));
    END LOOP;
    EXECUTE format('SELECT jsonb_object_agg(g.organization_id, g.number) FROM (
            SELECT e.organization_id, count(*) AS number FROM %I e
            WHERE NOT e.organization_id = ANY ($1) AND e.event <> ''audit.retention_applied'' GROUP BY 1) g', record)
        USING stays INTO gone;
    EXECUTE format('SELECT count(*) FROM %I e WHERE e.organization_id = ANY ($1) OR e.event = ''audit.retention_applied''', record)
        USING stays INTO rest;
    IF gone IS NULL AND rest > 0 THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I e WHERE NOT e.organization_id = ANY ($1)
            AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id))', record)
        USING stays INTO unsealed;
    IF unsealed THEN
        RAISE EXCEPTION 'an entry in this part of the record was never sealed';
    END IF;
    FOREACH kind IN ARRAY kinds LOOP
        branch := format('%s_%s', kind, wanted);
        leaf := format('%s_%s', branch, of_class);
        IF rest > 0 THEN
            id := CASE kind WHEN 'audit_words' THEN 'entry_id' ELSE 'id' END;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', leaf || '_kept', leaf);
            -- The entries come first: of the others what belongs to them stays.
            EXECUTE format('INSERT INTO %I SELECT * FROM %I x WHERE x.organization_id = ANY ($1)
                    OR x.%I IN (SELECT e.id FROM %I e WHERE e.event = ''audit.retention_applied'')', leaf || '_kept', leaf, id, record)
                USING stays;
        END IF;
        EXECUTE format('DROP TABLE %I', leaf);
        IF rest > 0 THEN
            EXECUTE format('ALTER TABLE %I RENAME TO %I', leaf || '_kept', leaf);
            PERFORM audit_furnish(kind, leaf);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)', branch, leaf,
                CASE of_class WHEN 'mixed' THEN '''normal'', ''security''' ELSE quote_literal(of_class) END);
        END IF;
    END LOOP;
    IF rest = 0 THEN
        DELETE FROM audit_parts a WHERE a.part = wanted AND a.class = of_class;
        -- Nothing of the month is left.
        IF NOT EXISTS (SELECT FROM audit_parts a WHERE a.part = wanted) THEN
            FOREACH kind IN ARRAY kinds LOOP
                EXECUTE format('DROP TABLE %I', format('%s_%s', kind, wanted));
            END LOOP;
        END IF;
    END IF;
    RETURN QUERY SELECT g.key::uuid, g.value::bigint FROM jsonb_each_text(coalesce(gone, '{}')) g UNION ALL SELECT NULL::uuid, rest;
END $$;
REVOKE ALL ON FUNCTION audit_drop(text, text, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_drop(text, text, uuid[]) TO freehold_platform;
