DROP INDEX ix_tasks_shared;
DROP INDEX ix_decisions_shared;
DROP INDEX ix_bundles_session_id;
