-- How far each reader (the rules of a version, or a model) has come in a scope.
CREATE TABLE derive_progress (
    tenant_id TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    reader TEXT NOT NULL,
    scope_version BIGINT NOT NULL,
    chunk_id TEXT NOT NULL,
    PRIMARY KEY (scope_id, reader)
);

-- Tokens that a model was given to read and write on a day, such as 2026-01-31.
CREATE TABLE model_usage (
    tenant_id TEXT NOT NULL,
    day TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
