# shellcheck shell=bash
# The checks of ./test that take more than one line. Sourced after lib.sh and services.sh.

# check_tools: every program the checks use; installs what Debian has.
check_tools() {
  need_rust
  need_c
  need_node
  need_python
  need curl curl
  need shellcheck shellcheck
  need strace strace
  need chromium chromium libnss3
  need redis-server redis-server
  need valgrind valgrind libc6-dbg
  cargo fmt --version
  cargo clippy --version
  cargo nextest --version || cargo install cargo-nextest --locked
  echo "NOTE: $(cargo --version), node $(node --version), $(chromium --version 2>/dev/null | head -n 1)"
}

# check_shell: every shell script of the repository. SC2317 calls functions that a trap runs unreachable.
check_shell() {
  shellcheck -x -e SC2317 run test .ci/run scripts/fetch-* scripts/against-mem0 scripts/bench-* scripts/kill-cycles scripts/power-cuts scripts/point-in-time scripts/cost scripts/*.sh \
    deploy/compose/*.sh deploy/container/gather deploy/compat/*.sh scripts/kit/stand-ins/{hearth,systemctl,journalctl,sudo,nothing}
}

# check_documentation: doc comments build without a broken link.
check_documentation() {
  RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
}

# check_generated: API description, configuration reference and the page's types match the built server.
check_generated() {
  HEARTH_BIN=${CARGO_TARGET_DIR:-target}/debug/hearth cargo xtask gen --check
}

# install_fuzzer: schemathesis in a virtual environment of its own.
install_fuzzer() {
  python_tools fuzz
}

# python_tools NAME: .cache/venv-NAME with the packages of scripts/wheels/NAME.txt.
python_tools() {
  local home=$CACHE_DIR/venv-$1 list=scripts/wheels/$1.txt
  cmp -s "$list" "$home/installed.txt" && return 0
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check --requirement "$list"
  cp "$list" "$home/installed.txt"
}

# start_hearth NAME [VARIABLE=VALUE...]: the debug binary on SQLite with nothing from our environment.
# Sets HEARTH_URL and HEARTH_LOG; the pid is in $RUN_DIR/NAME.pid.
start_hearth() {
  local name=$1 port data=$RUN_DIR/$1-data
  shift
  port=$(free_port)
  HEARTH_URL=http://127.0.0.1:$port
  HEARTH_LOG=$RUN_DIR/$name.log
  mkdir -m 700 "$data"
  clean_hearth "$data" PORT="$port" "$@" -- serve </dev/null >"$HEARTH_LOG" 2>&1 &
  echo $! >"$RUN_DIR/$name.pid"
  wait_until 30 curl -fsS "$HEARTH_URL/health/ready" && return 0
  cat "$HEARTH_LOG"
  return 1
}

# clean_hearth DATA_DIR [VARIABLE=VALUE...] -- ARGUMENTS...: runs the debug binary with only these variables.
clean_hearth() {
  local settings=("DATA_DIR=$1" "HOME=$RUN_DIR" "PATH=$PATH")
  shift
  while [ "$1" != -- ]; do
    settings+=("$1")
    shift
  done
  shift
  exec env -i "${settings[@]}" "${CARGO_TARGET_DIR:-target}/debug/hearth" "$@"
}

# stop_hearth NAME: asks it to end and fails when it does not.
stop_hearth() {
  local pid
  pid=$(cat "$RUN_DIR/$1.pid")
  kill -TERM "$pid"
  wait_until 15 gone "$pid"
}

# setup_link: the one-time link that the server printed.
setup_link() { grep -oE 'https?://[^[:space:]]+' "$HEARTH_LOG" | grep -m 1 -i setup; }

# slow_clients: a few of each kind are closed in time, a good client beside them is served, and none holds up the end.
slow_clients() {
  cargo test --workspace --bench slow_clients -- --connections 50 | tee "$RUN_DIR/slow-clients"
  echo "NOTE: $(grep -o 'closed after at most.*bytes each' "$RUN_DIR/slow-clients")"
}

# browser_journey: a person sets the server up and uses it, in a real browser.
browser_journey() {
  # The workspace that the journey makes runs the server. It walks in a minute what takes a person an hour.
  start_hearth journey RATE_LIMIT_MAX_REQUESTS=2000
  local link status=0
  link=$(setup_link)
  # The link's own origin: a browser holds localhost and 127.0.0.1 for two sites.
  HEARTH_URL=${link%%/setup*} HEARTH_SETUP_URL=$link SCREENSHOT_DIR=${SCREENSHOT_DIR:-$LOG_DIR/screenshots} \
    npm --prefix ui run e2e || status=$?
  stop_hearth journey
  [ "$status" -eq 0 ] || cat "$HEARTH_LOG"
  return "$status"
}

# fuzz_api: requests made from the published description; no answer may be a 5xx or break its own schema. The import takes
# lines, which the fuzzer cannot make.
fuzz_api() {
  start_hearth fuzz RATE_LIMIT_ENABLED=false
  local key status=0
  key=$(clean_hearth "$RUN_DIR/fuzz-data" -- admin create-key --tenant fuzz --scopes memory:read,memory:write | tail -n 1)
  "$CACHE_DIR/venv-fuzz/bin/st" run "$HEARTH_URL/openapi.json" --url "$HEARTH_URL" \
    --header "Authorization: Bearer $key" --workers 1 --phases examples,coverage,fuzzing \
    --exclude-path /api/v1/memory/import \
    --checks not_a_server_error,response_schema_conformance \
    --max-examples "${FUZZ_EXAMPLES:-15}" --seed 1 --no-shrink --generation-database none \
    --request-timeout 10 --continue-on-failure --no-color || status=$?
  stop_hearth fuzz
  [ "$status" -eq 0 ] || tail -n 40 "$HEARTH_LOG"
  return "$status"
}

# check_doors: the published clients of other programs work against the built server, and reach nothing else.
check_doors() {
  local python=$CACHE_DIR/venv-doors/bin/python key other admin
  start_hearth doors RATE_LIMIT_ENABLED=false EMBEDDING_BASE_URL=none
  key=$(clean_hearth "$RUN_DIR/doors-data" -- admin create-key --tenant doors --scopes memory:read,memory:write | tail -n 1)
  env -i HOME="$RUN_DIR" PATH="$PATH" MEM0_TELEMETRY=False "$python" scripts/doors/mem0_client.py "$HEARTH_URL" "$key"
  other=$(clean_hearth "$RUN_DIR/doors-data" -- admin create-key --tenant other --scopes memory:read,memory:write | tail -n 1)
  admin=$(clean_hearth "$RUN_DIR/doors-data" -- admin create-key --tenant doors --scopes admin | tail -n 1)
  env -i HOME="$RUN_DIR" PATH="$PATH" "$python" scripts/doors/mcp_client.py "$HEARTH_URL" "$key" "$other" "$admin" \
    "$(realpath "${CARGO_TARGET_DIR:-target}/debug/hearth")" "$RUN_DIR/doors-data"
  stop_hearth doors
}

# check_units: systemd takes every unit without a word, and the services stay well locked up.
check_units() {
  need systemd-analyze systemd
  local home=$RUN_DIR/units unit
  mkdir -p "$home"
  cp deploy/systemd/*.socket deploy/systemd/*.timer "$home"
  for unit in deploy/systemd/*.service; do
    sed "s|/usr/bin/hearth|$(realpath "${CARGO_TARGET_DIR:-target}/debug/hearth")|" "$unit" >"$home/${unit##*/}"
    systemd-analyze security --offline=true --no-pager --threshold=20 "$unit" | tail -n 1
  done
  systemd-analyze verify --man=no "$home"/* >"$home.said" 2>&1
  ! [ -s "$home.said" ] || {
    cat "$home.said"
    return 1
  }
}

# check_alerts: the rules are sound, each alert fires and stays silent where its test says so, and a rule with another
# threshold is noticed.
check_alerts() {
  need promtool prometheus
  promtool check config deploy/prometheus/prometheus.yml
  local home=$RUN_DIR/alerts
  mkdir -p "$home"
  cp deploy/prometheus/alerts.test.yml "$home"
  # promtool compares annotations too; their words are no part of the claim.
  awk '/^        annotations:/ { skip = 1; next } skip && /^          / { next } { skip = 0; print }' \
    deploy/prometheus/alerts.yml >"$home/alerts.yml"
  promtool test rules "$home/alerts.test.yml"
  sed -i 's/hearth_data_disk_percent > 85/hearth_data_disk_percent > 95/' "$home/alerts.yml"
  ! promtool test rules "$home/alerts.test.yml" >"$home.said" 2>&1 || {
    echo "a changed threshold went unnoticed"
    return 1
  }
  grep -q DiskAlmostFull "$home.said"
}
