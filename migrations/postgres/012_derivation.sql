-- How far each reader (the rules of a version, or a model) has come in a scope.
CREATE TABLE derive_progress (
    tenant_id TEXT NOT NULL COLLATE "C",
    scope_id TEXT NOT NULL COLLATE "C",
    reader TEXT NOT NULL COLLATE "C",
    scope_version BIGINT NOT NULL,
    chunk_id TEXT NOT NULL COLLATE "C",
    PRIMARY KEY (scope_id, reader)
);

-- Tokens that a model was given to read and write on a day, such as 2026-01-31.
CREATE TABLE model_usage (
    tenant_id TEXT NOT NULL COLLATE "C",
    day TEXT NOT NULL COLLATE "C",
    tokens BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day)
);

SELECT guard_tenant('derive_progress');
SELECT guard_tenant('model_usage');
