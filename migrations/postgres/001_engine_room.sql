CREATE TABLE jobs (
    tenant_id TEXT NOT NULL COLLATE "C",
    job_id TEXT NOT NULL COLLATE "C" PRIMARY KEY,
    kind TEXT NOT NULL,
    job_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    lease_token TEXT,
    lease_until BIGINT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE UNIQUE INDEX ux_jobs_due_key ON jobs (tenant_id, kind, job_key) WHERE state = 'due';
CREATE INDEX ix_jobs_state_run_at ON jobs (state, run_at);

CREATE TABLE idempotency_keys (
    tenant_id TEXT NOT NULL COLLATE "C",
    principal_id TEXT NOT NULL COLLATE "C",
    route TEXT NOT NULL,
    idempotency_key TEXT NOT NULL COLLATE "C",
    request_hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, principal_id, route, idempotency_key)
);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
