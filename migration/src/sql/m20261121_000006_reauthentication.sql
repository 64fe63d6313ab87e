-- Re-authentication: when a session's person last proved who they are, and the attempts that count against guessing.

-- Signing in is an authentication. The default serves a release that does not know the column yet.
ALTER TABLE sessions ADD COLUMN reauthenticated_at timestamptz NOT NULL DEFAULT now();
UPDATE sessions SET reauthenticated_at = authenticated_at;

DROP TRIGGER notify_change ON sessions;
CREATE TRIGGER notify_change AFTER UPDATE OF ended_at, active_organization, expires_at, reauthenticated_at ON sessions
    FOR EACH ROW EXECUTE FUNCTION notify_change();

-- An attempt is written before its password is looked at and taken away when it was right, so that attempts at the
-- same time, on whichever instance, can't be more than those that are allowed.
CREATE TABLE reauthentication_attempts (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    attempted_at timestamptz NOT NULL
);
CREATE INDEX reauthentication_attempts_account ON reauthentication_attempts (account_id, attempted_at);

GRANT SELECT, INSERT, DELETE ON reauthentication_attempts TO freehold_application, freehold_platform;
GRANT UPDATE (reauthenticated_at) ON sessions TO freehold_application;
