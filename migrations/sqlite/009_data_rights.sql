-- An erasure that is not finished hides its subject: no user_id means all of the tenant's memory, no session_id all of the
-- person's. When it is finished the names go and the salted hash stays.
CREATE TABLE erasures (
    tenant_id TEXT NOT NULL,
    erasure_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    user_id TEXT,
    session_id TEXT,
    salt TEXT NOT NULL,
    subject_hash TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    report TEXT NOT NULL,
    certificate TEXT,
    finished_at BIGINT
);
CREATE INDEX ix_erasures_tenant_id ON erasures (tenant_id, erasure_id);
CREATE INDEX ix_erasures_open ON erasures (tenant_id) WHERE finished_at IS NULL;

-- No user_id means the whole tenant.
CREATE TABLE legal_holds (
    tenant_id TEXT NOT NULL,
    hold_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT,
    reason TEXT NOT NULL,
    placed_by TEXT NOT NULL,
    placed_at BIGINT NOT NULL
);
CREATE INDEX ix_legal_holds_tenant_id ON legal_holds (tenant_id, user_id);

-- No user_id means the whole tenant. The text of an export lies in the blob store, in parts.
CREATE TABLE exports (
    tenant_id TEXT NOT NULL,
    export_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT,
    with_objects BOOLEAN NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    finished_at BIGINT,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT
);
CREATE INDEX ix_exports_tenant_id ON exports (tenant_id, export_id);
CREATE INDEX ix_exports_requested_at ON exports (requested_at);

CREATE TABLE export_parts (
    tenant_id TEXT NOT NULL,
    export_id TEXT NOT NULL,
    start_byte BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    blob_key TEXT NOT NULL,
    PRIMARY KEY (export_id, start_byte)
);

CREATE INDEX ix_artifacts_blob_key ON artifacts (tenant_id, blob_key);
CREATE INDEX ix_export_parts_blob_key ON export_parts (tenant_id, blob_key);
