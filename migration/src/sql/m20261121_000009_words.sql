-- The words of an entry are written in its transaction, by the one statement that writes both, and neither is ever
-- removed alone: the foreign key would only look each entry up and lock it once more for every word of it.
ALTER TABLE audit_words DROP CONSTRAINT audit_words_entry_id_fkey;
