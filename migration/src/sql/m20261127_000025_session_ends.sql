-- Many sessions ended at once, and signing keys that are distrusted.

-- In which order sessions began, whatever the instances' clocks say. Those that were there before have the number 0.
CREATE SEQUENCE session_order;
ALTER TABLE sessions ADD COLUMN began bigint NOT NULL DEFAULT 0;
ALTER TABLE sessions ALTER COLUMN began SET DEFAULT nextval('session_order');

-- A floor: sessions that began before it are over, but for the one that was kept. One an organisation, for those that are
-- in it; and one with the id of nobody (all zeros), for everybody's. That it is set ends them all; their rows say so once
-- a worker has come to them.
CREATE TABLE session_floors (
    id uuid PRIMARY KEY,
    number bigint NOT NULL,
    kept uuid,
    reason text NOT NULL CHECK (reason IN ('ended_by_organization', 'ended_by_platform')),
    ended_at timestamptz NOT NULL,
    written boolean NOT NULL DEFAULT false
);

-- The sessions of an organisation that have no end yet.
CREATE INDEX sessions_organization ON sessions (active_organization, id) WHERE ended_at IS NULL;

GRANT USAGE ON SEQUENCE session_order TO freehold_application, freehold_platform;
GRANT SELECT, INSERT ON session_floors TO freehold_application, freehold_platform;
GRANT UPDATE (number, kept, reason, ended_at, written) ON session_floors TO freehold_application, freehold_platform;

-- Whatever is kept of anybody is dropped.
CREATE FUNCTION notify_session_floor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'organization:' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OF number ON session_floors
    FOR EACH ROW EXECUTE FUNCTION notify_session_floor();

-- A key that may have leaked is retired before its time.
ALTER TABLE signing_keys ADD COLUMN distrusted_at timestamptz;
GRANT UPDATE (distrusted_at) ON signing_keys TO freehold_platform;
