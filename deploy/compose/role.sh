#!/bin/sh
# Makes the server's role and database when PostgreSQL starts for the first time. The image's own user is a superuser,
# whom row-level security does not bind.
set -eu
psql -X -v ON_ERROR_STOP=1 -d postgres -v name="$DB_USER" -v password="$(cat "${PASSWORD_FILE:-/run/secrets/db_password}")" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE :"name" OWNER :"name";
SQL
