CREATE TABLE tenants (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id),
    user_id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL,
    email TEXT,
    password_hash TEXT NOT NULL,
    role TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE UNIQUE INDEX ux_users_username ON users (tenant_id, username);
CREATE INDEX ix_users_user_id ON users (tenant_id, user_id);
CREATE INDEX ix_users_role ON users (role);

CREATE TABLE sessions (
    tenant_id TEXT NOT NULL,
    session_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (user_id),
    kind TEXT NOT NULL,
    secret_hash TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    address TEXT,
    user_agent TEXT,
    key_id TEXT,
    scopes TEXT
);
CREATE INDEX ix_sessions_user_id ON sessions (tenant_id, user_id, created_at);
CREATE UNIQUE INDEX ux_sessions_secret_hash ON sessions (secret_hash);
CREATE INDEX ix_sessions_key_id ON sessions (tenant_id, key_id);

CREATE TABLE refresh_tokens (
    tenant_id TEXT NOT NULL,
    token_hash TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (session_id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (tenant_id, session_id);

CREATE TABLE api_keys (
    tenant_id TEXT NOT NULL,
    key_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    user_id TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX ux_api_keys_key_hash ON api_keys (key_hash);
CREATE INDEX ix_api_keys_tenant_id ON api_keys (tenant_id, key_id);

CREATE TABLE invitations (
    tenant_id TEXT NOT NULL,
    invitation_id TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX ux_invitations_token_hash ON invitations (token_hash);

CREATE TABLE setup_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE audit_log (
    tenant_id TEXT NOT NULL,
    audit_id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    principal_kind TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    outcome TEXT NOT NULL,
    address TEXT,
    request_id TEXT NOT NULL,
    fields TEXT NOT NULL
);
CREATE INDEX ix_audit_log_at ON audit_log (tenant_id, at);
CREATE INDEX ix_audit_log_audit_id ON audit_log (tenant_id, audit_id);
