-- Hardening: no role may change more than the server does, keys are published before they sign, and an address has
-- one spelling.

----------------------------------------------------------------------------------------------------- privileges

-- The rows that a role may change, it may change in these columns only. A privilege on the table would cover all of
-- them, so it goes first; that takes those on columns with it.
REVOKE UPDATE ON accounts, setup_tokens, sessions, refresh_tokens, idempotency_keys, organizations, memberships,
    invitations, signing_keys, outbox FROM freehold_application, freehold_platform;
GRANT UPDATE (name, version, updated_at, last_sign_in_at) ON accounts TO freehold_application;
GRANT UPDATE (state, version, updated_at) ON accounts TO freehold_platform;
GRANT UPDATE (active_organization, last_seen_at, ended_at, end_reason) ON sessions TO freehold_application;
GRANT UPDATE (ended_at, end_reason) ON sessions TO freehold_platform;
GRANT UPDATE (used_at) ON refresh_tokens TO freehold_application;
GRANT UPDATE (status, answer, created_at) ON idempotency_keys TO freehold_application, freehold_platform;
GRANT UPDATE (name, slug, status, version, updated_at, deleted_at, purge_after) ON organizations TO freehold_application;
GRANT UPDATE (status, version, updated_at, deleted_at, purge_after) ON organizations TO freehold_platform;
GRANT UPDATE (role, status, version, updated_at) ON memberships TO freehold_application;
GRANT UPDATE (token_hash, status, invited_by, accepted_by, resend_count, expires_at, mail_id, accepted_at) ON invitations
    TO freehold_application;
GRANT UPDATE (state, retired_at, private_key) ON signing_keys TO freehold_platform;
GRANT UPDATE (payload, available_at, attempts, leased_by, leased_until, sent_at, failed_at, last_error) ON outbox
    TO freehold_platform;
-- The first setup is done under the application's role, in the platform's organisation.
REVOKE ALL ON setup_tokens FROM freehold_platform;
GRANT UPDATE (used_at) ON setup_tokens TO freehold_application;

--------------------------------------------------------------------------------------------------- signing keys

-- A pending key is published and does not sign yet: whoever verifies tokens has it by the time it does.
ALTER TABLE signing_keys DROP CONSTRAINT signing_keys_state_check;
ALTER TABLE signing_keys ADD CONSTRAINT signing_keys_state_check
    CHECK (state IN ('pending', 'active', 'retiring', 'retired'));
CREATE UNIQUE INDEX IF NOT EXISTS signing_keys_pending_key ON signing_keys (state) WHERE state = 'pending';

-------------------------------------------------------------------------------------------------------- people

-- Blocked people are few, and their list must not go through everybody.
CREATE INDEX IF NOT EXISTS accounts_blocked ON accounts (id) WHERE state = 'blocked';

-- Addresses are compared with their domain in ASCII (RFC 5891): `ada@bücher.example` is `ada@xn--bcher-kva.example`.
-- Those that were kept otherwise are spelt so now, by the encoding of RFC 3492.
CREATE FUNCTION ascii_label(label text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    digits constant text := 'abcdefghijklmnopqrstuvwxyz0123456789';
    points int[] := ARRAY(SELECT ascii(c) FROM regexp_split_to_table(label, '') WITH ORDINALITY t (c, i) ORDER BY i);
    output text := regexp_replace(label, '[^\x01-\x7f]', '', 'g');
    basic int := length(output);
    handled int := length(output);
    n int := 128;
    delta bigint := 0;
    bias int := 72;
    point int;
    q bigint;
    k int;
    t int;
BEGIN
    IF basic = cardinality(points) THEN
        RETURN label;
    END IF;
    IF basic > 0 THEN
        output := output || '-';
    END IF;
    WHILE handled < cardinality(points) LOOP
        point := (SELECT min(p) FROM unnest(points) p WHERE p >= n);
        delta := delta + (point - n)::bigint * (handled + 1);
        n := point;
        FOREACH point IN ARRAY points LOOP
            IF point < n THEN
                delta := delta + 1;
            ELSIF point = n THEN
                q := delta;
                k := 36;
                LOOP
                    t := least(greatest(k - bias, 1), 26);
                    EXIT WHEN q < t;
                    output := output || substr(digits, (t + (q - t) % (36 - t))::int + 1, 1);
                    q := (q - t) / (36 - t);
                    k := k + 36;
                END LOOP;
                output := output || substr(digits, q::int + 1, 1);
                delta := CASE WHEN handled = basic THEN delta / 700 ELSE delta / 2 END;
                delta := delta + delta / (handled + 1);
                k := 0;
                WHILE delta > 455 LOOP
                    delta := delta / 35;
                    k := k + 36;
                END LOOP;
                bias := k + (36 * delta / (delta + 38))::int;
                delta := 0;
                handled := handled + 1;
            END IF;
        END LOOP;
        delta := delta + 1;
        n := n + 1;
    END LOOP;
    RETURN 'xn--' || output;
END $$;
CREATE FUNCTION ascii_address(address text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(address, '@[^@]*$', '@') || string_agg(ascii_label(label), '.' ORDER BY i)
    FROM regexp_split_to_table(normalize(lower(substring(address FROM '[^@]*$')), NFKC), '\.') WITH ORDINALITY l (label, i)
$$;
DO $$
DECLARE
    row record;
BEGIN
    -- A person who has both spellings keeps both: the older account would have to be told which it is.
    FOR row IN SELECT id, email FROM accounts WHERE email ~ '@[^@]*[^\x01-\x7f][^@]*$' ORDER BY id LOOP
        BEGIN
            UPDATE accounts SET email = ascii_address(row.email), version = version + 1 WHERE id = row.id;
        EXCEPTION WHEN unique_violation OR check_violation THEN
            RAISE WARNING 'the address of account % can not be kept in ASCII: another account has it, or it is too long', row.id;
        END;
    END LOOP;
    FOR row IN SELECT id, email FROM invitations WHERE email ~ '@[^@]*[^\x01-\x7f][^@]*$' ORDER BY id LOOP
        BEGIN
            UPDATE invitations SET email = ascii_address(row.email) WHERE id = row.id;
        EXCEPTION WHEN unique_violation OR check_violation THEN
            RAISE WARNING 'the address of invitation % can not be kept in ASCII', row.id;
        END;
    END LOOP;
END $$;
DROP FUNCTION ascii_address(text), ascii_label(text);
