# shellcheck shell=bash
# Real services for tests, each on a free loopback port, each stopped by the process id we started.
# Sourced after lib.sh. Everything lives under $RUN_DIR; the environment for tests is written to $RUN_DIR/env.

# start_postgres: one throw-away PostgreSQL with pgvector for the whole run.
start_postgres() {
  if [ -n "${HEARTH_TEST_POSTGRES_URL:-}" ]; then
    echo "using the server named by HEARTH_TEST_POSTGRES_URL"
    [ -n "${HEARTH_TEST_POSTGRES_BIN:-}" ] ||
      echo "export HEARTH_TEST_POSTGRES_BIN=$(dirname "$(command -v pg_dump)")" >>"$RUN_DIR/env"
    return 0
  fi
  local home port data=$RUN_DIR/postgres
  local unprivileged=(env HOME="$RUN_DIR")
  home=$(scripts/fetch-postgres)
  port=$(free_port)
  mkdir -p "$data"
  if [ "$(id -u)" -eq 0 ]; then
    # PostgreSQL refuses to run as root, and an ordinary user may be unable to enter this checkout.
    need setpriv util-linux
    cp -r "${home%/*/*}" "$RUN_DIR/postgres-bin"
    home=$RUN_DIR/postgres-bin/${home#"${home%/*/*}/"}
    chown -R nobody "$data"
    unprivileged+=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
  fi
  "${unprivileged[@]}" "$home/bin/initdb" -D "$data/db" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync
  # Tests are an ordinary role: row security does not bind a superuser.
  # fsync is off: tests kill Hearth, never the machine. Connections are many: every test has its own pool.
  "${unprivileged[@]}" "$home/bin/postgres" -D "$data/db" -p "$port" -k "$data" \
    -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off -c max_connections=400 \
    </dev/null >"$RUN_DIR/postgres.log" 2>&1 &
  echo $! >"$RUN_DIR/postgres.pid"
  wait_until 30 "$home/bin/pg_isready" -q -h 127.0.0.1 -p "$port" || {
    cat "$RUN_DIR/postgres.log"
    return 1
  }
  "$home/bin/psql" -XAtq -h 127.0.0.1 -p "$port" -U postgres -d postgres \
    -c 'CREATE EXTENSION vector' -c 'SELECT version()' -c 'DROP EXTENSION vector' \
    -c 'CREATE ROLE hearth LOGIN CREATEDB' \
    -c 'GRANT pg_signal_backend, pg_signal_autovacuum_worker TO hearth'
  cat >>"$RUN_DIR/env" <<EOF
export HEARTH_TEST_POSTGRES_URL=postgres://hearth@127.0.0.1:$port/postgres
export HEARTH_TEST_POSTGRES_BIN=$home/bin
EOF
}

# start_s3: an S3 server that checks signatures, with one empty bucket.
start_s3() {
  local program port secret root=$RUN_DIR/s3
  program=$(scripts/fetch-s3)
  port=$(free_port)
  secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  mkdir -p "$root/hearth"
  "$program" --host 127.0.0.1 --port "$port" --access-key hearth-tests --secret-key "$secret" "$root" \
    </dev/null >"$RUN_DIR/s3.log" 2>&1 &
  echo $! >"$RUN_DIR/s3.pid"
  wait_until 10 refuses_strangers "http://127.0.0.1:$port/hearth" || {
    cat "$RUN_DIR/s3.log"
    return 1
  }
  cat >>"$RUN_DIR/env" <<EOF
export HEARTH_TEST_S3_ENDPOINT=http://127.0.0.1:$port
export HEARTH_TEST_S3_ACCESS_KEY=hearth-tests
export HEARTH_TEST_S3_SECRET_KEY=$secret
export HEARTH_TEST_S3_BUCKET=hearth
EOF
}

# refuses_strangers URL: does the server answer 403 to a request without a signature?
refuses_strangers() {
  python3 - "$1" <<'PY'
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=2)
except urllib.error.HTTPError as error:
    sys.exit(error.code != 403)
sys.exit(1)
PY
}

# start_redis: one throw-away Redis that keeps nothing.
start_redis() {
  local port
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$RUN_DIR" \
    </dev/null >"$RUN_DIR/redis.log" 2>&1 &
  echo $! >"$RUN_DIR/redis.pid"
  wait_until 10 redis-cli -p "$port" ping || {
    cat "$RUN_DIR/redis.log"
    return 1
  }
  echo "export HEARTH_TEST_REDIS_URL=redis://127.0.0.1:$port" >>"$RUN_DIR/env"
}

# provide_model: the embedding model, in a place of its own so that a run never touches ./data.
provide_model() {
  local model=$CACHE_DIR/models/all-MiniLM-L6-v2
  scripts/fetch-model "$model"
  echo "export HEARTH_TEST_MODEL_DIR=$model" >>"$RUN_DIR/env"
}

# stop_services: ends every process noted in $RUN_DIR, gently first.
stop_services() {
  local note
  for note in "$RUN_DIR"/*.pid; do
    [ -s "$note" ] || continue
    stop_pid "$(cat "$note")" INT
    rm -f "$note"
  done
}
