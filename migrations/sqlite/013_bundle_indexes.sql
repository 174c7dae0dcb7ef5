-- Bundles are looked up by conversation, and what a tenant shares by its place in time, whoever owns it.
CREATE INDEX ix_bundles_session_id ON bundles (tenant_id, user_id, session_id, recorded_at);
CREATE INDEX ix_decisions_shared ON decisions (tenant_id, status, ts) WHERE channel IN ('team', 'public');
CREATE INDEX ix_tasks_shared ON tasks (tenant_id, status, task_id) WHERE channel IN ('team', 'public');
