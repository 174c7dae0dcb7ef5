-- Each row names its place and the hash of the row before it; the head holds the last hash. Rows from before this
-- migration have no place: the head counts them, so that none can be added later.
ALTER TABLE audit_log ADD COLUMN seq BIGINT;
ALTER TABLE audit_log ADD COLUMN previous_hash TEXT;
ALTER TABLE audit_log ADD COLUMN hash TEXT;
CREATE UNIQUE INDEX ux_audit_log_seq ON audit_log (tenant_id, seq);

CREATE TABLE audit_heads (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    first_previous_hash TEXT NOT NULL,
    unchained BIGINT NOT NULL
);
INSERT INTO audit_heads (tenant_id, seq, hash, first_seq, first_previous_hash, unchained)
SELECT tenant_id, 0, '', 1, '', COUNT(*) FROM audit_log GROUP BY tenant_id;

CREATE INDEX ix_invitations_tenant_id ON invitations (tenant_id, invitation_id);
