-- Certificates that an ACME authority has issued, with their keys, and the accounts there that ordered them.

CREATE TABLE certificates (
    -- Made from what it is for: the same authority, and the same names or contact.
    id uuid PRIMARY KEY,
    -- Sealed: in clear it is PEM, or an account's key.
    value bytea NOT NULL,
    updated_at timestamptz NOT NULL
);

-- The server works for itself here.
GRANT SELECT, INSERT ON certificates TO freehold_platform;
GRANT UPDATE (value, updated_at) ON certificates TO freehold_platform;
