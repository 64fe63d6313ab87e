-- Who leads, who is there, and what runs by itself. All of it is the platform's: the application's role has no part.

-- The one leadership. Whoever takes it over raises the term; a transaction of an older term can't commit any more,
-- because it has to find its own term here, and locks the row until it has committed.
CREATE TABLE leadership (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    term bigint NOT NULL,
    instance_id uuid,
    taken_at timestamptz
);
INSERT INTO leadership (term) VALUES (0);

-- The instances that say every few seconds that they are there.
CREATE TABLE instances (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 253),
    version text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);

-- Jobs that somebody has paused. Which jobs there are, the server's release says.
CREATE TABLE job_pauses (
    job text PRIMARY KEY CHECK (job ~ '^[a-z][a-z0-9_]{0,62}$'),
    paused_by uuid REFERENCES accounts ON DELETE SET NULL,
    paused_at timestamptz NOT NULL
);

-- The queue, and the history of what went through it.
CREATE TABLE job_runs (
    id uuid PRIMARY KEY,
    job text NOT NULL CHECK (job ~ '^[a-z][a-z0-9_]{0,62}$'),
    fire_time timestamptz NOT NULL,
    cause text NOT NULL CHECK (cause IN ('schedule', 'person')),
    requested_by uuid REFERENCES accounts ON DELETE SET NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'dead')),
    created_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    term bigint,
    instance_id uuid,
    leased_until timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    result jsonb CHECK (jsonb_typeof(result) = 'object'),
    error text,
    -- However often a schedule fires for one moment, it is one run.
    CONSTRAINT job_runs_fire_time_key UNIQUE (job, fire_time),
    CHECK ((state = 'running') = (leased_until IS NOT NULL)),
    CHECK ((state IN ('succeeded', 'dead')) = (finished_at IS NOT NULL)),
    CHECK (state <> 'running' OR (term IS NOT NULL AND started_at IS NOT NULL))
);
CREATE INDEX job_runs_page ON job_runs (job, id);
CREATE INDEX job_runs_finished_at ON job_runs (finished_at);
CREATE INDEX job_runs_open ON job_runs (available_at) WHERE state IN ('queued', 'running');
-- A job never overlaps itself.
CREATE UNIQUE INDEX job_runs_running_key ON job_runs (job) WHERE state = 'running';

GRANT SELECT, UPDATE ON leadership TO freehold_platform;
GRANT SELECT, INSERT, UPDATE, DELETE ON instances, job_pauses, job_runs TO freehold_platform;
-- What the clean-ups close and remove.
GRANT UPDATE (status) ON invitations TO freehold_platform;
GRANT DELETE ON sessions, refresh_tokens, outbox, invitations, organizations TO freehold_platform;

CREATE FUNCTION notify_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('freehold_changes', 'jobs:' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_change AFTER INSERT ON job_runs FOR EACH ROW EXECUTE FUNCTION notify_jobs();

-- Finding what is to be removed must not read whole tables.
CREATE INDEX sessions_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);
CREATE INDEX outbox_sent_at ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_failed_at ON outbox (failed_at) WHERE failed_at IS NOT NULL;
CREATE INDEX invitations_pending_expires_at ON invitations (expires_at) WHERE status = 'pending';
CREATE INDEX organizations_purge_after ON organizations (purge_after) WHERE purge_after IS NOT NULL;
