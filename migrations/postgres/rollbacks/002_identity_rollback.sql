DROP TABLE audit_log;
DROP TABLE setup_tokens;
DROP TABLE invitations;
DROP TABLE api_keys;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE tenants;
