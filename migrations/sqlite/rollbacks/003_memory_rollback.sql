DROP TABLE artifacts;
DROP TABLE vector_progress;
DROP TABLE vectors;
DROP TABLE chunks;
DROP TABLE events;
DROP TABLE memory_sessions;
DROP TABLE memory_scopes;
