-- Failed sign-ins of an account from an address, and of an address. A subject is a keyed hash: a name that was typed may be
-- a password, and no tenant owns an address.
CREATE TABLE sign_in_failures (
    subject TEXT NOT NULL COLLATE "C" PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_failed_at BIGINT NOT NULL
);
CREATE INDEX ix_sign_in_failures_last_failed_at ON sign_in_failures (last_failed_at);
