# shellcheck shell=bash
# Checks of what lies in deploy/: read by their own programs, then used for real where no engine is needed.
# Sourced after checks.sh. Containers and clusters do not run here: their files are checked by schema and rule, and the
# image's contents are run in a root of their own.

# refuses COMMAND...: it must fail. A `!` before a command fails no step.
refuses() {
  ! "$@" || {
    echo "this should have failed: $*"
    return 1
  }
}

# check_manifests: container file, compose and Kubernetes by linter, schema and our rules; every rule is seen to fail once.
check_manifests() {
  need openssl openssl
  local tools=$CACHE_DIR/venv-kit/bin
  "$tools/hadolint" deploy/container/Containerfile
  "$tools/check-jsonschema" --builtin-schema vendor.compose-spec deploy/compose/*.yaml
  "$tools/kubernetes-validate" --strict --quiet deploy/kubernetes/*.yaml
  "$tools/python" scripts/kit/manifests.py
  check_environments "$tools/python"
}

# check_environments PYTHON: the server accepts what the manifests would give it, and refuses secrets left blank.
check_environments() {
  local made=$RUN_DIR/kit/secrets before
  deploy/compose/secrets.sh "$made"
  before=$(digest_of "$made")
  deploy/compose/secrets.sh "$made"
  [ "$(digest_of "$made")" = "$before" ] || {
    echo "secrets.sh changed secrets that were there"
    return 1
  }
  grep -q ":$(cat "$made/db_password")@" "$made/database_url"
  grep -q "#$(tr -d '\n' <"$made/redis_password" | sha256sum | cut -d ' ' -f 1) " "$made/redis_users"
  checks_out "$1" compose "$made"
  checks_out "$1" kubernetes
  refuses checks_out "$1" kubernetes as-is
}

# checks_out PYTHON PLACE [CHOICE]: `hearth config check` under the environment of a manifest.
checks_out() {
  local settings
  mapfile -t settings < <("$1" scripts/kit/manifests.py "${@:2}")
  (clean_hearth "$RUN_DIR/kit/data" ENVIRONMENT=production "${settings[@]}" DATA_DIR="$RUN_DIR/kit/data" BACKUP_DIR= -- config check)
}

# check_image: what the container file puts into the image is enough to serve, as a user without rights and without a shell.
check_image() {
  local image=$RUN_DIR/image port
  deploy/container/gather "${CARGO_TARGET_DIR:-target}/debug/hearth" "$image"
  chmod 700 "$image/data"
  as_root chown -R root:root "$image" && as_root chown 65532:65532 "$image/data"
  [ -z "$(find "$image" -name '*sh' -type f)" ]
  port=$(free_port)
  in_image serve </dev/null >"$RUN_DIR/image.log" 2>&1 &
  echo $! >"$RUN_DIR/image.pid"
  wait_until 30 image_health --ready || {
    cat "$RUN_DIR/image.log"
    return 1
  }
  as_root kill -TERM "$(cat "$RUN_DIR/image.pid")"
  wait_until 15 gone "$(cat "$RUN_DIR/image.pid")"
  refuses grep panicked "$RUN_DIR/image.log"
  refuses image_health
}

# in_image ARGUMENTS...: becomes the server with the contents of $image for its whole world.
in_image() {
  local become=()
  [ "$(id -u)" -eq 0 ] || become=(sudo -n)
  exec "${become[@]}" env -i PATH="$PATH:/usr/sbin" ENVIRONMENT=production HOST=127.0.0.1 PORT="$port" DATA_DIR=/data/hearth \
    chroot --userspec=65532:65532 --groups= "$image" /usr/bin/hearth "$@"
}

# image_health [--ready]: asks as the container's own health check does.
image_health() { (in_image health "$@"); }

# check_logging: rsyslog keeps a JSON line as it is, and logrotate turns the file over.
check_logging() {
  need rsyslogd rsyslog
  need logrotate logrotate
  local home=$RUN_DIR/logging line='{"level":"INFO","message":"a \"quoted\" word"}'
  mkdir -p "$home"
  {
    echo "module(load=\"imuxsock\" SysSock.Use=\"off\") input(type=\"imuxsock\" Socket=\"$home/socket\")"
    sed "s|/var/log/hearth|$home|" deploy/logging/rsyslog.conf
  } >"$home/rsyslog.conf"
  rsyslogd -n -f "$home/rsyslog.conf" -i "$home/rsyslogd" &
  echo $! >"$RUN_DIR/rsyslogd.pid"
  wait_until 10 test -S "$home/socket"
  logger --socket "$home/socket" --tag hearth -- "$line"
  logger --socket "$home/socket" --tag other -- "not ours"
  wait_until 10 grep -qxF "$line" "$home/hearth.log"
  stop_pid "$(cat "$RUN_DIR/rsyslogd.pid")"
  [ "$(wc -l <"$home/hearth.log")" -eq 1 ]
  sed "s|/var/log/hearth|$home|; s|/usr/lib/rsyslog/rsyslog-rotate|touch $home/told|" deploy/logging/logrotate.conf >"$home/logrotate.conf"
  chmod 644 "$home/logrotate.conf"
  logrotate --force --state "$home/state" "$home/logrotate.conf"
  [ -e "$home/told" ] && [ ! -s "$home/hearth.log" ] && grep -qxF "$line" "$home"/hearth.log-*
}

# check_redis: the file starts a real Redis where nobody but the server may do anything, and no more than it must.
check_redis() {
  local home=$RUN_DIR/redis-kit port password
  deploy/compose/secrets.sh "$home/secrets"
  port=$(free_port)
  password=$(cat "$home/secrets/redis_password")
  redis-server deploy/redis/redis.conf --port "$port" --dir "$home" --aclfile "$home/secrets/redis_users" </dev/null >"$home/log" 2>&1 &
  echo $! >"$RUN_DIR/redis-kit.pid"
  wait_until 10 redis_says NOAUTH ping
  start_hearth redis-kit EMBEDDING_BASE_URL=none REDIS_URL="$(sed "s/redis:6379/127.0.0.1:$port/" "$home/secrets/redis_url")"
  wait_until 10 metric_is 'hearth_dependency_up{dependency="redis"}' 1
  curl -sS -o /dev/null "$HEARTH_URL/api/v1/sessions"
  metric_is 'hearth_redis_commands_total{result="error"}' 0
  redis_says PONG --no-auth-warning --user hearth -a "$password" ping
  redis_says maxmemory_policy:volatile-ttl --no-auth-warning --user hearth -a "$password" eval "return redis.call('INFO', 'memory')" 0
  redis_says hearth:servers --no-auth-warning --user hearth -a "$password" --scan --pattern 'hearth:*'
  local forbidden
  for forbidden in flushall 'config set maxmemory 1' 'get other' 'keys hearth:*' shutdown 'acl list'; do
    read -ra forbidden <<<"$forbidden"
    redis_says NOPERM --no-auth-warning --user hearth -a "$password" "${forbidden[@]}"
  done
  stop_hearth redis-kit
}

# redis_says TEXT ARGUMENTS...: does redis-cli answer with this text?
redis_says() {
  local text=$1
  shift
  redis-cli -p "$port" "$@" 2>&1 | grep -F -- "$text"
}

# metric_is SERIES VALUE: what a scrape of HEARTH_URL says now.
metric_is() { curl -fsS "$HEARTH_URL/metrics" | grep -xF "$1 $2"; }

# check_nginx: real requests and a real stream through the shipped file, to the built server.
check_nginx() {
  local home=$RUN_DIR/nginx plain tls token
  prepare_nginx
  stream_through_nginx
  start_hearth nginx EMBEDDING_BASE_URL=none TRUSTED_PROXIES=127.0.0.1 METRICS_ALLOW=192.0.2.1 METRICS_TOKEN="$token"
  start_nginx "${HEARTH_URL##*:}"
  requests_through_nginx
  stop_nginx
  stop_hearth nginx
}

# check_rolling: servers behind the shipped file restart one after the other, and no request fails.
check_rolling() {
  local home=$RUN_DIR/rolling plain tls token database=kit_$$ settings first second
  local psql=("$HEARTH_TEST_POSTGRES_BIN/psql" -XAtq "$HEARTH_TEST_POSTGRES_URL")
  prepare_nginx
  "${psql[@]}" -c "CREATE DATABASE $database"
  settings=(EMBEDDING_BASE_URL=none RATE_LIMIT_ENABLED=false DRAIN_GRACE=1s "DATABASE_URL=${HEARTH_TEST_POSTGRES_URL%/*}/$database")
  start_hearth rolling-1 "${settings[@]}" && first=${HEARTH_URL##*:}
  start_hearth rolling-2 "${settings[@]}" && second=${HEARTH_URL##*:}
  start_nginx "$first $second"
  while [ ! -e "$home/enough" ]; do nginx_status "https://127.0.0.1:$tls/api/v1/setup"; done >"$home/statuses" 2>&1 &
  local asking=$!
  stop_hearth rolling-1
  (clean_hearth "$RUN_DIR/rolling-1-data" PORT="$first" "${settings[@]}" -- serve) </dev/null >"$RUN_DIR/rolling-1.log" 2>&1 &
  echo $! >"$RUN_DIR/rolling-1.pid"
  # Ready, and taken back by nginx, which leaves it alone for five seconds: that is what the runbook waits for, too.
  HEARTH_URL=http://127.0.0.1:$first wait_until 30 scrape_holds 'http_requests_total{.*endpoint="/api/v1/setup"'
  stop_hearth rolling-2
  wait_until 60 has_lines 60 "$home/statuses"
  touch "$home/enough" && wait "$asking"
  stop_nginx
  refuses grep -nvx 200 "$home/statuses"
  # The second is still gone: without the line on the next server, requests fail.
  start_nginx "$first $second" 's/proxy_next_upstream error timeout/proxy_next_upstream off/'
  for _ in {1..10}; do nginx_status "https://127.0.0.1:$tls/api/v1/setup"; done >"$home/control"
  grep -qx 502 "$home/control"
  stop_nginx
  stop_hearth rolling-1
  "${psql[@]}" -c "DROP DATABASE $database WITH (FORCE)"
  echo "NOTE: $(wc -l <"$home/statuses") requests over two restarts, none failed"
}

# has_lines COUNT FILE: that many, or more.
has_lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }

# prepare_nginx: ports, a certificate and a password file under $home; sets plain, tls and token.
prepare_nginx() {
  need nginx nginx
  need openssl openssl
  plain=$(free_port) tls=$(free_port) token=$(openssl rand -hex 32)
  mkdir -p "$home/tls" "$home/temp"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -keyout "$home/tls/privkey.pem" -out "$home/tls/fullchain.pem" 2>/dev/null
  echo "metrics:$(openssl passwd -apr1 "$token")" >"$home/hearth.htpasswd"
  chmod 755 "$home" && chmod 644 "$home/hearth.htpasswd"
}

# start_nginx PORTS [SED_SCRIPT]: the shipped files before one server or two; waits until one answers.
start_nginx() {
  local user=''
  [ "$(id -u)" -ne 0 ] || user='user nobody nogroup;'
  sed "s|listen 80 |listen 127.0.0.1:$plain |; s|listen 443 |listen 127.0.0.1:$tls |; s|/etc/nginx/|$home/|; s|/var/log/nginx/|$home/|; ${2:-}" \
    deploy/nginx/hearth.conf >"$home/hearth.conf"
  sed "s|127.0.0.1:8080|127.0.0.1:${1% *}|" deploy/nginx/upstream.conf >"$home/upstream.conf"
  [ "${1% *}" = "$1" ] || sed -i "s|# server 10.0.0.2:8080|server 127.0.0.1:${1#* }|" "$home/upstream.conf"
  cat >"$home/nginx.conf" <<CONF
daemon off; $user pid $home/nginx.pid; error_log $home/error.log;
events {}
http {
  client_body_temp_path $home/temp/body; proxy_temp_path $home/temp/proxy; fastcgi_temp_path $home/temp/f;
  uwsgi_temp_path $home/temp/u; scgi_temp_path $home/temp/s;
  include $home/upstream.conf; include $home/hearth.conf;
}
CONF
  nginx -q -t -c "$home/nginx.conf" -e "$home/error.log"
  nginx -c "$home/nginx.conf" -e "$home/error.log" </dev/null &
  echo $! >"$RUN_DIR/nginx-front.pid"
  wait_until 10 curl -sk -m 2 -o /dev/null "https://127.0.0.1:$tls/healthz"
}

stop_nginx() { stop_pid "$(cat "$RUN_DIR/nginx-front.pid")"; }

# stream_through_nginx: events pass one by one; with buffering switched on they would not.
stream_through_nginx() {
  python3 scripts/kit/stream.py serve "$home/stream.port" &
  echo $! >"$RUN_DIR/stream.pid"
  wait_until 10 test -s "$home/stream.port"
  start_nginx "$(cat "$home/stream.port")"
  python3 scripts/kit/stream.py read "https://127.0.0.1:$tls"
  stop_nginx
  start_nginx "$(cat "$home/stream.port")" 's/proxy_buffering off/proxy_buffering on/'
  refuses python3 scripts/kit/stream.py read "https://127.0.0.1:$tls"
  stop_nginx
  stop_pid "$(cat "$RUN_DIR/stream.pid")"
}

# requests_through_nginx: redirect, TLS versions, headers, metrics' password, the caller's address, the log.
requests_through_nginx() {
  local site=https://127.0.0.1:$tls path
  curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' "http://localhost:$plain/a?b=c" | grep -x '301 https://localhost/a?b=c'
  [ "$(curl -fsSk "$site/healthz")" = '{"status":"healthy"}' ]
  curl -fsSk -D - -o /dev/null "$site/health/ready" | tr -d '\r' | grep -ix 'strict-transport-security: max-age=31536000; includeSubDomains'
  refuses speaks_tls -tls1_1 -cipher DEFAULT@SECLEVEL=0
  speaks_tls -tls1_2
  speaks_tls -tls1_3
  for path in metrics metrics/json api/v1/metrics; do
    # nginx itself asks for the password, before the server does.
    curl -sSk -D - -o /dev/null "$site/$path" | tr -d '\r' | grep -x -i 'www-authenticate: Basic realm="Hearth metrics"'
    nginx_answers 401 -u metrics:wrong "$site/$path"
    nginx_answers 200 -u "metrics:$token" "$site/$path"
  done
  # What a caller says of its own address is dropped; what nginx saw is believed.
  nginx_answers 401 --interface 127.0.0.2 -H 'X-Forwarded-For: 203.0.113.9' -H 'Content-Type: application/json' \
    -d '{"username":"nobody","password":"wrong","tenant":"none"}' "$site/api/v1/session?secret=query"
  clean_hearth "$RUN_DIR/nginx-data" -- audit export --format jsonl >"$home/audit.jsonl" &
  wait $!
  grep -q '"address":"127.0.0.2"' "$home/audit.jsonl"
  refuses grep 203.0.113.9 "$home/audit.jsonl"
  grep -q 'POST /api/v1/session" 401' "$home/hearth.log"
  refuses grep -e healthz -e secret=query "$home/hearth.log"
}

# speaks_tls OPTIONS...: does nginx shake hands under these?
speaks_tls() { openssl s_client -connect "127.0.0.1:$tls" "$@" </dev/null >/dev/null 2>&1; }

# nginx_status CURL_ARGUMENTS...: the status of an answer, a line.
nginx_status() { curl -sSk -m 10 -o /dev/null -w '%{http_code}\n' "$@"; }

# nginx_answers STATUS CURL_ARGUMENTS...
nginx_answers() {
  local wanted=$1 got
  shift
  got=$(nginx_status "$@")
  [ "$got" = "$wanted" ] || {
    echo "answered $got, not $wanted: ${*: -1}"
    return 1
  }
}

# check_runbooks: every command of every runbook, against a scratch server; planted mistakes are found.
check_runbooks() {
  need jq jq
  python3 scripts/kit/runbooks.py "${CARGO_TARGET_DIR:-target}/debug/hearth" --control
}

# check_dashboard: every series of a panel or an alert is in a scrape of a server that was used; promtool reads every query.
check_dashboard() {
  need promtool prometheus
  local home=$RUN_DIR/dashboard key operator
  mkdir -p "$home"
  start_hearth dashboard EMBEDDING_BASE_URL=none RATE_LIMIT_MAX_REQUESTS=8
  key=$(beside dashboard admin create-key --tenant home --scopes memory:read,memory:write)
  operator=$(beside dashboard admin create-key --tenant home --scopes admin)
  ask "$key" POST events '{"session_id":"a","channel":"private","kind":"message","actor":{"type":"human","id":"a"},"content":{"text":"otters"}}'
  ask "$key" POST memories/search '{"query":"otters"}'
  for _ in {1..10}; do ask "$key" GET sessions; done
  ask "$operator" POST admin/backups
  wait_until 30 scrape_holds hearth_backup_last_success_timestamp_seconds
  curl -fsS "$HEARTH_URL/metrics" >"$home/scrape"
  "$CACHE_DIR/venv-kit/bin/python" scripts/kit/panels.py "$home/scrape" "$home/rules.yml"
  promtool check rules "$home/rules.yml"
  stop_hearth dashboard
}

# beside NAME ARGUMENTS...: a command of the server that start_hearth NAME started.
beside() {
  local name=$1
  shift
  (clean_hearth "$RUN_DIR/$name-data" -- "$@")
}

# ask KEY METHOD PATH [BODY]: a request below /api/v1, whatever the answer.
ask() {
  curl -sS -o /dev/null -X "$2" "$HEARTH_URL/api/v1/$3" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' ${4:+-d "$4"}
}

# scrape_holds SERIES: is it in what a scrape of HEARTH_URL says now?
scrape_holds() { curl -fsS "$HEARTH_URL/metrics" | grep "^$1"; }

# check_compat: the commands under their older names say and end as their users expect.
check_compat() {
  local home=$RUN_DIR/compat port
  mkdir -p "$home/bin"
  mkdir -m 700 "$home/data"
  ln -sf "$(realpath "${CARGO_TARGET_DIR:-target}/debug/hearth")" "$home/bin/hearth"
  compat run_migrations.sh | grep 'applied 001_engine_room'
  compat backup.sh >"$home/said"
  grep -x 'Backup successful: .*\.hearth' "$home/said"
  grep -x "Backup completed: $(sed -n 's/^Backup successful: //p' "$home/said")" "$home/said"
  port=$(free_port)
  refuses compat monitor.py --host "http://127.0.0.1:$port" --interval 1 --duration 1 --output "$home/monitor.csv"
  head -n 1 "$home/monitor.csv" | grep '^timestamp,cpu_percent,memory_mb,'
  local code=0
  compat backup.sh --format sql 2>"$home/failed" || code=$?
  [ "$code" -eq 1 ] && [ "$(grep -c 'Backup failed!' "$home/failed")" -eq 1 ]
  code=0
  BACKUP_DIR=$home/bin/hearth compat backup.sh 2>"$home/failed" || code=$?
  [ "$code" -eq 1 ] && [ "$(grep -c 'Backup failed!' "$home/failed")" -eq 1 ]
  echo key >"$home/key"
  for script in 'run-load-test.sh smoke' 'run_load_tests.sh all'; do
    # shellcheck disable=SC2086 # a script and its scenario
    refuses compat $script --host "http://127.0.0.1:$port" --key-file "$home/key" 2>"$home/failed"
    grep "no server answers at http://127.0.0.1:$port" "$home/failed"
  done
  refuses compat run-load-test.sh endurance
}

# compat SCRIPT ARGUMENTS...: a script of deploy/compat on an embedded database of its own.
compat() {
  local script=$1
  shift
  env -i PATH="$home/bin:$PATH" DATA_DIR="$home/data" BACKUP_DIR="${BACKUP_DIR:-}" "deploy/compat/$script" "$@"
}
