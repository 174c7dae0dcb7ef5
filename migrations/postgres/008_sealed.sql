-- Secrets that must be read back, sealed under the key that key_id names.
CREATE TABLE sealed_secrets (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    key_id TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX ix_sealed_secrets_key_id ON sealed_secrets (key_id);
SELECT guard_tenant('sealed_secrets');
