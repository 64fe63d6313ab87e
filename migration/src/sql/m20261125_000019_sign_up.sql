-- People who come by themselves: sign-ups whose address is not proven yet, requests that wait for somebody to let them
-- in, whether an account's address has been proven, and the links that prove one.

--------------------------------------------------------------------------------------------------- proven addresses

ALTER TABLE accounts ADD COLUMN email_verified_at timestamptz;
-- Whoever accepted an invitation had the link that went to the address.
UPDATE accounts a SET email_verified_at = i.accepted_at
FROM (SELECT accepted_by, min(accepted_at) AS accepted_at FROM invitations WHERE accepted_by IS NOT NULL GROUP BY 1) i
WHERE i.accepted_by = a.id;
GRANT UPDATE (email, email_verified_at) ON accounts TO freehold_application;

-- A link that went to an address of a person: the present one, or one that takes its place.
CREATE TABLE email_links (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('verification', 'change')),
    email bytea NOT NULL,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    closed_at timestamptz
);
CREATE INDEX email_links_account ON email_links (account_id, purpose, created_at);
CREATE UNIQUE INDEX email_links_open_key ON email_links (account_id, purpose) WHERE closed_at IS NULL;
CREATE INDEX email_links_expires_at ON email_links (expires_at);

-------------------------------------------------------------------------------------------------------- sign-ups

-- Whoever asked for an account: nobody yet. The tags are keyed hashes of the address and of where the request came
-- from; they say nothing without a key that is not in the database.
CREATE TABLE sign_ups (
    id uuid PRIMARY KEY,
    wanted_organization uuid REFERENCES organizations ON DELETE CASCADE,
    email bytea NOT NULL,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    address_tag bytea NOT NULL CHECK (length(address_tag) = 32),
    client_tag bytea NOT NULL CHECK (length(client_tag) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_ups_address ON sign_ups (address_tag, created_at);
CREATE INDEX sign_ups_client ON sign_ups (client_tag, created_at);
CREATE INDEX sign_ups_expires_at ON sign_ups (expires_at);
CREATE INDEX sign_ups_organization ON sign_ups (wanted_organization);

-- Whoever has proven an address and waits to be let in: into the organisation, or with the platform's own, for an
-- account. The password of an account that is not there yet is kept hashed until somebody decides.
CREATE TABLE sign_up_requests (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email bytea NOT NULL,
    name bytea NOT NULL,
    address_tag bytea NOT NULL CHECK (length(address_tag) = 32),
    account_id uuid REFERENCES accounts ON DELETE CASCADE,
    password_hash text,
    status text NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'expired')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    announced_at timestamptz,
    decided_at timestamptz,
    decided_by uuid REFERENCES accounts ON DELETE SET NULL,
    CHECK ((status = 'pending') = (decided_at IS NULL)),
    CHECK (status = 'pending' OR password_hash IS NULL)
);
CREATE INDEX sign_up_requests_page ON sign_up_requests (organization_id, id);
CREATE UNIQUE INDEX sign_up_requests_open_key ON sign_up_requests (organization_id, address_tag) WHERE status = 'pending';
CREATE INDEX sign_up_requests_announced ON sign_up_requests (organization_id, announced_at);
CREATE INDEX sign_up_requests_expires_at ON sign_up_requests (expires_at) WHERE status = 'pending';
CREATE INDEX sign_up_requests_decided_at ON sign_up_requests (decided_at);
CREATE INDEX sign_up_requests_account ON sign_up_requests (account_id);

-- The organisation of a short name, for somebody who is in none. What it allows is its settings' business.
CREATE FUNCTION organization_of_slug(wanted text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public
    AS $$ SELECT id FROM organizations WHERE slug = wanted AND status = 'active' AND kind = 'tenant' $$;
REVOKE ALL ON FUNCTION organization_of_slug(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION organization_of_slug(text) TO freehold_application;

---------------------------------------------------------------------------------------------- row-level security

ALTER TABLE sign_up_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_up_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_all ON sign_up_requests TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY platform_all ON sign_up_requests TO freehold_platform USING (true) WITH CHECK (true);
CREATE POLICY tenant_all ON sign_up_requests TO freehold_application
    USING (organization_id = (SELECT current_organization())) WITH CHECK (organization_id = (SELECT current_organization()));

------------------------------------------------------------------------------------------------------ privileges

GRANT SELECT, INSERT ON email_links, sign_ups, sign_up_requests TO freehold_application;
GRANT DELETE ON sign_ups TO freehold_application;
GRANT UPDATE (closed_at) ON email_links TO freehold_application;
GRANT UPDATE (status, password_hash, decided_at, decided_by) ON sign_up_requests TO freehold_application;
-- Jobs: what is over, and values that are sealed anew.
GRANT SELECT, DELETE ON email_links, sign_ups, sign_up_requests TO freehold_platform;
GRANT UPDATE (email) ON email_links, sign_ups TO freehold_platform;
GRANT UPDATE (email, name, status, password_hash, decided_at) ON sign_up_requests TO freehold_platform;
