DROP INDEX ix_refresh_tokens_session;
DROP INDEX ix_jobs_finished_at;
DROP INDEX ix_jobs_kind;
DROP TABLE paused_job_kinds;
DROP TABLE schedules;
DROP TABLE leases;
