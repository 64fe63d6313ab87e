-- What an instance keeps of a person is all that `GET /v1/me` says, so whatever of that changes is told.

DROP TRIGGER notify_change ON accounts;
CREATE TRIGGER notify_change AFTER UPDATE OF state, email, name, version, last_sign_in_at ON accounts
    FOR EACH ROW EXECUTE FUNCTION notify_change();

DROP TRIGGER notify_change ON sessions;
CREATE TRIGGER notify_change
    AFTER UPDATE OF ended_at, active_organization, expires_at, reauthenticated_at, last_seen_at ON sessions
    FOR EACH ROW EXECUTE FUNCTION notify_change();

DROP TRIGGER notify_change ON organizations;
CREATE TRIGGER notify_change AFTER UPDATE OF status, name, slug, version ON organizations
    FOR EACH ROW EXECUTE FUNCTION notify_change();

DROP TRIGGER notify_change ON teams;
CREATE TRIGGER notify_change AFTER UPDATE OF role, name OR DELETE ON teams
    FOR EACH ROW EXECUTE FUNCTION notify_team_change();
