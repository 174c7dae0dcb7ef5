-- Names of leases are few and last; the fence grows with each new holder and tells its writes from those of an older one.
CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    held_until BIGINT NOT NULL
);

CREATE TABLE schedules (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    catch_up TEXT NOT NULL,
    next_at BIGINT NOT NULL,
    last_fired_at BIGINT,
    fence BIGINT NOT NULL
);

CREATE TABLE paused_job_kinds (
    kind TEXT NOT NULL PRIMARY KEY,
    paused_at BIGINT NOT NULL
);

-- Tenants take turns, so a claim asks for the next tenant's oldest job.
CREATE INDEX ix_jobs_kind ON jobs (kind, state, tenant_id, run_at);
CREATE INDEX ix_jobs_finished_at ON jobs (state, finished_at);

-- Sessions and their tokens are removed when they have had their time; a session's tokens are looked for by its id alone.
CREATE INDEX ix_refresh_tokens_session ON refresh_tokens (session_id);
