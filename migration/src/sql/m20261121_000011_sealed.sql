-- What was in clear is sealed by now. The clear columns go, and the sealed ones take their names.
--
-- A column that is dropped stays in the table's files until its rows are written again: the server rewrites them after
-- this step.

DROP TRIGGER notify_change ON accounts;
DROP TRIGGER notify_profile ON accounts;
ALTER TABLE accounts DROP COLUMN email, DROP COLUMN name;
ALTER TABLE accounts RENAME COLUMN email_sealed TO email;
ALTER TABLE accounts RENAME COLUMN name_sealed TO name;
ALTER TABLE accounts ALTER COLUMN email SET NOT NULL, ALTER COLUMN name SET NOT NULL;
-- Whoever changes what an account says raises its version; a value that is only sealed anew says what it said.
CREATE TRIGGER notify_change AFTER UPDATE OF state ON accounts FOR EACH ROW EXECUTE FUNCTION notify_change();
CREATE TRIGGER notify_profile AFTER UPDATE OF version, last_sign_in_at ON accounts
    FOR EACH ROW EXECUTE FUNCTION notify_profile();
GRANT UPDATE (name) ON accounts TO freehold_application;
GRANT UPDATE (email, name) ON accounts TO freehold_platform;

ALTER TABLE invitations DROP COLUMN email, DROP COLUMN message;
ALTER TABLE invitations RENAME COLUMN email_sealed TO email;
ALTER TABLE invitations RENAME COLUMN message_sealed TO message;
ALTER TABLE invitations ALTER COLUMN email SET NOT NULL;
GRANT UPDATE (email, message) ON invitations TO freehold_platform;

ALTER TABLE sessions DROP COLUMN address, DROP COLUMN user_agent;
ALTER TABLE sessions RENAME COLUMN address_sealed TO address;
ALTER TABLE sessions RENAME COLUMN user_agent_sealed TO user_agent;
GRANT UPDATE (address, user_agent) ON sessions TO freehold_platform;
