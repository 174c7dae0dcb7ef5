DROP TABLE model_usage;
DROP TABLE derive_progress;
