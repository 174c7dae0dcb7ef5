CREATE TABLE memory_scopes (
    tenant_id TEXT NOT NULL,
    scope_id TEXT NOT NULL PRIMARY KEY,
    home TEXT NOT NULL,
    owner TEXT NOT NULL,
    tier TEXT NOT NULL,
    version BIGINT NOT NULL,
    rebuild_version BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    text_bytes BIGINT NOT NULL,
    language TEXT NOT NULL
);
CREATE UNIQUE INDEX ux_memory_scopes ON memory_scopes (tenant_id, home, owner, tier);

CREATE TABLE memory_sessions (
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, session_id)
);
CREATE INDEX ix_memory_sessions_last_at ON memory_sessions (tenant_id, user_id, last_at, session_id);

CREATE TABLE events (
    tenant_id TEXT NOT NULL,
    event_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    agent_id TEXT,
    session_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    sensitivity TEXT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT,
    occurred_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    tags TEXT NOT NULL,
    content TEXT NOT NULL,
    refs TEXT NOT NULL,
    artifact_id TEXT,
    text_bytes BIGINT NOT NULL,
    token_est BIGINT NOT NULL,
    trust TEXT NOT NULL,
    recalled BOOLEAN NOT NULL,
    client_event_id TEXT,
    content_hash TEXT NOT NULL,
    redactions TEXT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX ix_events_session_id ON events (tenant_id, user_id, session_id, seq);
CREATE INDEX ix_events_user_id ON events (tenant_id, user_id, occurred_at, event_id);
CREATE UNIQUE INDEX ux_events_client_event_id ON events (tenant_id, user_id, session_id, client_event_id)
    WHERE client_event_id IS NOT NULL;
CREATE INDEX ix_events_expires_at ON events (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE chunks (
    tenant_id TEXT NOT NULL,
    chunk_id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL REFERENCES events (event_id),
    scope_id TEXT NOT NULL,
    scope_version BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    start_byte BIGINT NOT NULL,
    end_byte BIGINT NOT NULL,
    token_est BIGINT NOT NULL,
    importance DOUBLE PRECISION NOT NULL,
    sensitivity TEXT NOT NULL,
    excluded BOOLEAN NOT NULL,
    key_text TEXT NOT NULL,
    text TEXT
);
CREATE INDEX ix_chunks_event_id ON chunks (tenant_id, event_id, ordinal);
CREATE INDEX ix_chunks_scope_version ON chunks (scope_id, scope_version, chunk_id);

CREATE TABLE vectors (
    tenant_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    model TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    scope_version BIGINT NOT NULL,
    dim BIGINT NOT NULL,
    scale DOUBLE PRECISION NOT NULL,
    text_hash TEXT NOT NULL,
    bytes BYTEA NOT NULL,
    token_codes BYTEA NOT NULL,
    PRIMARY KEY (owner_id, model)
);
CREATE INDEX ix_vectors_scope_version ON vectors (scope_id, model, scope_version);

CREATE TABLE vector_progress (
    tenant_id TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    model TEXT NOT NULL,
    scope_version BIGINT NOT NULL,
    chunk_id TEXT NOT NULL,
    PRIMARY KEY (scope_id, model)
);

CREATE TABLE artifacts (
    tenant_id TEXT NOT NULL,
    artifact_id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL REFERENCES events (event_id),
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    blob_key TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    refs TEXT NOT NULL
);
CREATE INDEX ix_artifacts_event_id ON artifacts (tenant_id, event_id);
