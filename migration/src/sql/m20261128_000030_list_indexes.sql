-- Lists with a filter that finds little go along an index to what they look for, however much lies beside it. Whole
-- indexes rather than partial ones: a prepared statement asks for a state by parameter, and a plan that holds for every
-- state can't use an index of one.

CREATE INDEX memberships_role ON memberships (organization_id, role, id);
CREATE INDEX memberships_status ON memberships (organization_id, status, id);
CREATE INDEX invitations_status ON invitations (organization_id, status, id);
CREATE INDEX sign_up_requests_status ON sign_up_requests (organization_id, status, id);
CREATE INDEX organizations_status ON organizations (status, id);
CREATE INDEX accounts_state ON accounts (state, id);
