-- The policy's history: which policy was in force since when, and who held what.
--
-- Triggers write what changes of memberships, teams, places in teams and service accounts, so that no writer can forget.
-- The server's roles read it and can't write it: what the history says was done is what was done.

CREATE TABLE policy_revisions (
    id uuid PRIMARY KEY,
    number integer NOT NULL CONSTRAINT policy_revisions_number_key UNIQUE CHECK (number > 0),
    -- SHA-256 of `map`.
    digest bytea NOT NULL CHECK (length(digest) = 32),
    -- What was enforced: operations with every role's decision, roles, the files' SHA-256; as canonical JSON, to the byte.
    map text NOT NULL,
    -- The files themselves.
    operations text NOT NULL,
    roles text NOT NULL,
    model text NOT NULL,
    -- The release that brought it.
    release text NOT NULL,
    since timestamptz NOT NULL
);
CREATE INDEX policy_revisions_digest ON policy_revisions (digest);

-- Which policy each instance enforces: while one with the newest is there, an older one does not take over.
ALTER TABLE instances ADD COLUMN policy_digest bytea CHECK (length(policy_digest) = 32);

CREATE TABLE access_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('membership', 'team', 'team_member', 'service_account')),
    -- The membership, team or service account. People are here by id only: whoever is erased stays erased.
    object_id uuid NOT NULL,
    account_id uuid,
    team_id uuid,
    -- 'known': it was so already when the history began.
    change text NOT NULL CHECK (change IN ('known', 'began', 'changed', 'ended')),
    -- The direct role, or the one that a team gives; what a team or service account is called; whether it gives access.
    role text,
    name text,
    status text,
    -- From this moment, until that of the next row of the same thing.
    at timestamptz NOT NULL,
    -- 'database': by hand, around the server.
    actor_type text NOT NULL CHECK (actor_type IN ('account', 'service', 'anonymous', 'system', 'database')),
    actor_id uuid,
    request_id text,
    CHECK ((kind = 'team_member') = (team_id IS NOT NULL)),
    CHECK ((kind = 'membership') = (account_id IS NOT NULL))
);
CREATE INDEX access_history_log ON access_history (organization_id, at, id);
CREATE INDEX access_history_things ON access_history (organization_id, object_id, at DESC, id DESC);
CREATE INDEX access_history_places_of_team ON access_history (organization_id, team_id, object_id, at DESC, id DESC)
    WHERE kind = 'team_member';

---------------------------------------------------------------------------------------------- row-level security

ALTER TABLE access_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_history FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON access_history TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_read ON access_history FOR SELECT TO freehold_platform USING (true);
CREATE POLICY tenant_read ON access_history FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()));

GRANT SELECT ON access_history, policy_revisions TO freehold_application, freehold_platform;
GRANT INSERT ON policy_revisions TO freehold_platform;

--------------------------------------------------------------------------------------------------------- writing

-- Runs as the owner, because nobody else may write here. Who acts, in which request, the transaction has said; a release
-- before this one says the account only, and whoever works by hand says nothing.
CREATE FUNCTION keep_access_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    row jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    actor text := nullif(current_setting('freehold.actor', true), '');
    what text := TG_ARGV[0];
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
    INSERT INTO access_history (organization_id, kind, object_id, account_id, team_id, change, role, name, status, at,
        actor_type, actor_id, request_id)
    VALUES (
        (row->>'organization_id')::uuid,
        what,
        (row->>CASE what WHEN 'team_member' THEN 'membership_id' ELSE 'id' END)::uuid,
        CASE what WHEN 'membership' THEN (row->>'account_id')::uuid END,
        CASE what WHEN 'team_member' THEN (row->>'team_id')::uuid END,
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

CREATE TRIGGER keep_history_of_comings AFTER INSERT OR DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION keep_access_history('membership');
CREATE TRIGGER keep_history_of_changes AFTER UPDATE OF role, status ON memberships
    FOR EACH ROW WHEN ((OLD.role, OLD.status) IS DISTINCT FROM (NEW.role, NEW.status))
    EXECUTE FUNCTION keep_access_history('membership');
CREATE TRIGGER keep_history_of_comings AFTER INSERT OR DELETE ON teams
    FOR EACH ROW EXECUTE FUNCTION keep_access_history('team');
CREATE TRIGGER keep_history_of_changes AFTER UPDATE OF role, name ON teams
    FOR EACH ROW WHEN ((OLD.role, OLD.name) IS DISTINCT FROM (NEW.role, NEW.name))
    EXECUTE FUNCTION keep_access_history('team');
CREATE TRIGGER keep_history_of_comings AFTER INSERT OR DELETE ON team_members
    FOR EACH ROW EXECUTE FUNCTION keep_access_history('team_member');
CREATE TRIGGER keep_history_of_comings AFTER INSERT OR DELETE ON service_accounts
    FOR EACH ROW EXECUTE FUNCTION keep_access_history('service_account');
CREATE TRIGGER keep_history_of_changes AFTER UPDATE OF role, state, name ON service_accounts
    FOR EACH ROW WHEN ((OLD.role, OLD.state, OLD.name) IS DISTINCT FROM (NEW.role, NEW.state, NEW.name))
    EXECUTE FUNCTION keep_access_history('service_account');

-- The past is not rewritten, not by the owner either, and goes with its organisation only.
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'access_history' AND TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM organizations WHERE id = OLD.organization_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the history is immutable';
END $$;
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON access_history FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER immutable_whole BEFORE TRUNCATE ON access_history FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON policy_revisions FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER immutable_whole BEFORE TRUNCATE ON policy_revisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

------------------------------------------------------------------------------------------------------- beginning

-- What there is already is known from now on.
INSERT INTO access_history (organization_id, kind, object_id, account_id, team_id, change, role, name, status, at, actor_type)
SELECT organization_id, 'membership', id, account_id, NULL::uuid, 'known', role, NULL, status, now(), 'system' FROM memberships
UNION ALL
SELECT organization_id, 'team', id, NULL, NULL, 'known', role, name, NULL, now(), 'system' FROM teams
UNION ALL
SELECT organization_id, 'team_member', membership_id, NULL, team_id, 'known', NULL, NULL, NULL, now(), 'system' FROM team_members
UNION ALL
SELECT organization_id, 'service_account', id, NULL, NULL, 'known', role, name, state, now(), 'system' FROM service_accounts;
