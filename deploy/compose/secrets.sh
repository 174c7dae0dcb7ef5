#!/bin/sh
# Makes what production.yaml reads from deploy/compose/secrets (or the folder named). What is there already is kept, so that
# this can be run again. Run it as root: the servers' user 65532 must be able to read the files, and nobody else.
set -eu
umask 077
kit=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$kit/compose/secrets}
user=${DB_USER:-hearth}
mkdir -p "$folder"
cd "$folder"

# random: 256 bits, in letters that need no quoting in an address.
random() { openssl rand -hex 32; }

# made NAME TEXT: writes a file once.
made() { [ -s "$1" ] || printf '%s' "$2" >"$1"; }

for name in postgres_password db_password redis_password jwt_secret api_key_secret encryption_key metrics_token; do
  made "$name" "$(random)"
done
made database_url "postgres://$user:$(cat db_password)@postgres:5432/$user"
made redis_url "redis://hearth:$(cat redis_password)@redis:6379"
# Redis keeps the hash alone.
made redis_users "$(sed "s/{hash}/$(printf %s "$(cat redis_password)" | sha256sum | cut -d ' ' -f 1)/" "$kit/redis/users.acl")"
# Prometheus and people sign in at nginx as `metrics`; the server knows the same password as METRICS_TOKEN.
made metrics.htpasswd "metrics:$(openssl passwd -apr1 -stdin <metrics_token)"

# The folder keeps others out; inside containers PostgreSQL, Redis and nginx have users of their own.
chmod 444 redis_users metrics.htpasswd db_password
if [ "$(id -u)" -eq 0 ]; then
  chgrp 65532 database_url redis_url jwt_secret api_key_secret encryption_key metrics_token
  chmod 440 database_url redis_url jwt_secret api_key_secret encryption_key metrics_token
else
  echo "not run as root: give the files to group 65532 with mode 440 before starting the containers" >&2
fi
echo "secrets are in $(pwd)"
