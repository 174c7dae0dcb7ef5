DROP INDEX ix_invitations_tenant_id;
DROP TABLE audit_heads;
DROP INDEX ux_audit_log_seq;
ALTER TABLE audit_log DROP COLUMN hash;
ALTER TABLE audit_log DROP COLUMN previous_hash;
ALTER TABLE audit_log DROP COLUMN seq;
