-- The second wall: a row is there only for a connection that was told its tenant, or '*' for all of them.
-- The server tells every connection (store::Reach) and opens them with '', which is nobody. A connection that was never
-- told anything, such as an operator's psql, sees all. A later migration calls this for each table with a tenant.
CREATE FUNCTION guard_tenant(guarded REGCLASS) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format(
        'CREATE POLICY tenant ON %s USING (coalesce(current_setting(''hearth.tenant'', true), ''*'') IN (tenant_id, ''*''))',
        guarded
    );
END
$$;

SELECT guard_tenant('jobs');
SELECT guard_tenant('idempotency_keys');
SELECT guard_tenant('tenants');
SELECT guard_tenant('users');
SELECT guard_tenant('sessions');
SELECT guard_tenant('refresh_tokens');
SELECT guard_tenant('api_keys');
SELECT guard_tenant('invitations');
SELECT guard_tenant('audit_log');
SELECT guard_tenant('memory_scopes');
SELECT guard_tenant('memory_sessions');
SELECT guard_tenant('events');
SELECT guard_tenant('chunks');
SELECT guard_tenant('vectors');
SELECT guard_tenant('vector_progress');
SELECT guard_tenant('artifacts');
