-- A sign-in changes nothing that other instances have to know at once: `last_sign_in_at` is read again within a minute,
-- as everything that is kept of a person. Telling of it cost each sign-in a notification, which takes a lock of the whole
-- database as it commits and wakes every instance.
DROP TRIGGER notify_profile ON accounts;
CREATE TRIGGER notify_profile AFTER UPDATE OF version ON accounts
    FOR EACH ROW EXECUTE FUNCTION notify_profile();
