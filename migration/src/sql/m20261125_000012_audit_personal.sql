-- What is personal of an entry of the record lies beside it, sealed, so that it can be sealed anew and erased while the
-- entry itself stays what it was. What lies in clear is sealed by the server right after this step, before the next one
-- removes it.

CREATE TABLE audit_personal (
    -- The entry's.
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    -- Who did it, and whom it is about: what is to go when one of them is erased.
    account_id uuid,
    about_id uuid,
    address bytea,
    user_agent bytea,
    -- A JSON object: details of the entry that somebody wrote, or that say something of somebody.
    details bytea
);
CREATE UNIQUE INDEX audit_personal_page ON audit_personal (organization_id, id);
CREATE INDEX audit_personal_account ON audit_personal (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX audit_personal_about ON audit_personal (about_id) WHERE about_id IS NOT NULL;

ALTER TABLE audit_personal ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_personal FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON audit_personal TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_all ON audit_personal TO freehold_platform USING (true) WITH CHECK (true);
CREATE POLICY tenant_read ON audit_personal FOR SELECT TO freehold_application
    USING (organization_id = (SELECT current_organization()));
CREATE POLICY tenant_insert ON audit_personal FOR INSERT TO freehold_application
    WITH CHECK (organization_id = (SELECT current_organization()) OR organization_id = platform_organization());
GRANT SELECT, INSERT ON audit_personal TO freehold_application, freehold_platform;
-- To seal anew, and to erase.
GRANT UPDATE (address, user_agent, details), DELETE ON audit_personal TO freehold_platform;

-- Why a platform administrator acted in an organisation is free text as well.
ALTER TABLE platform_access ADD COLUMN reason_sealed bytea;
