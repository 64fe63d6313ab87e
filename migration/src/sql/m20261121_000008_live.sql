-- What an instance keeps of a person is all that `GET /v1/me` says, so whatever of that changes is told.

-- What changes nothing of what a person may do is told apart: it costs less.
CREATE FUNCTION notify_profile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'profile:' || NEW.id);
    RETURN NULL;
END $$;

DROP TRIGGER notify_change ON accounts;
CREATE TRIGGER notify_change AFTER UPDATE OF state, email ON accounts FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_profile AFTER UPDATE OF name, version, last_sign_in_at ON accounts
    FOR EACH ROW EXECUTE FUNCTION notify_profile();

DROP TRIGGER notify_change ON sessions;
CREATE TRIGGER notify_change
    AFTER UPDATE OF ended_at, active_organization, expires_at, reauthenticated_at, last_seen_at ON sessions
    FOR EACH ROW EXECUTE FUNCTION notify_change();

-- A person's latest session, whether it has ended or not.
CREATE INDEX sessions_latest ON sessions (account_id, id);

DROP TRIGGER notify_change ON organizations;
CREATE TRIGGER notify_change AFTER UPDATE OF status, name, slug, version ON organizations
    FOR EACH ROW EXECUTE FUNCTION notify_change();

DROP TRIGGER notify_change ON teams;
CREATE TRIGGER notify_change AFTER UPDATE OF role, name OR DELETE ON teams
    FOR EACH ROW EXECUTE FUNCTION notify_team_change();
