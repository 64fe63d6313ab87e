-- A letter whose link is dead does not leave.
--
-- When an invitation is revoked, accepted, expired or sent again, the letter that still lies in the outbox with the
-- old link goes, and its text with it. A trigger, so that no writer can forget; it runs with the owner's rights,
-- because the application's role may add to the outbox but neither read nor change what lies in it. A letter that a
-- worker has leased is about to leave; whatever becomes of it, it is not tried again.
CREATE FUNCTION withdraw_letter() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    DELETE FROM outbox WHERE id = OLD.mail_id AND sent_at IS NULL AND failed_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER withdraw_letter AFTER UPDATE OF status, mail_id ON invitations FOR EACH ROW
    WHEN (OLD.mail_id IS NOT NULL AND (NEW.status <> 'pending' OR NEW.mail_id IS DISTINCT FROM OLD.mail_id))
    EXECUTE FUNCTION withdraw_letter();
