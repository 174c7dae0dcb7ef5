# shellcheck shell=bash
# Named, timed steps with logs and a summary. Sourced after lib.sh; logs go to $LOG_DIR.
# A step runs in a process group of its own with `set -e`, so a failing line fails it and Ctrl-C can end it whole.

STEP_NAMES=() STEP_RESULTS=() STEP_TIMES=() STEP_NOTES=()
STEP_PID=''
declare -A LATER_PID=() LATER_START=()

# log_of NAME: where a step's output goes.
log_of() { printf '%s/%s.log' "$LOG_DIR" "$(printf '%s' "$1" | tr -cs '[:alnum:]' '-' | sed 's/-$//')"; }

# launch NAME COMMAND...: starts a step's command in the background; its pid is in STEP_PID.
launch() {
  local log
  log=$(log_of "$1")
  shift
  set -m
  (
    set +m
    set -e
    "$@"
  ) </dev/null >"$log" 2>&1 &
  STEP_PID=$!
  set +m
}

# step NAME COMMAND...: runs one check and records how it ended; never ends the run.
step() {
  local name=$1 start
  start=$(now_ms)
  announce "$name"
  launch "$@"
  finish "$name" "$start" "$STEP_PID"
}

# must NAME COMMAND...: a step without which the rest makes no sense.
must() { step "$@" || conclude; }

# later NAME COMMAND...: starts a step now, to be collected by `collect NAME`.
later() {
  launch "$@"
  LATER_PID[$1]=$STEP_PID
  LATER_START[$1]=$(now_ms)
  STEP_PID=''
}

# collect NAME: waits for a step that `later` started and records it.
collect() {
  announce "$1"
  local pid=${LATER_PID[$1]}
  unset "LATER_PID[$1]"
  finish "$1" "${LATER_START[$1]}" "$pid"
}

# announce NAME: says what is running now.
announce() { printf '%s▸ %s%s\n' "$DIM" "$1" "$PLAIN"; }

# finish NAME START_MS PID: waits, records, prints the result and, on failure, the end of the log.
finish() {
  local name=$1 start=$2 pid=$3 result=passed mark="${GREEN}✓" spent note
  STEP_PID=$pid
  wait "$pid" || result=FAILED
  STEP_PID=''
  spent=$(($(now_ms) - start))
  note=$(grep -aoE '(Summary \[.*|[0-9]+ generated, .*|Tests +[0-9].*passed.*|NOTE: .*)' "$(log_of "$name")" | tail -n 1 | tr -d '\033' | sed 's/\[[0-9;]*m//g; s/^NOTE: //')
  STEP_NAMES+=("$name") STEP_RESULTS+=("$result") STEP_TIMES+=("$spent") STEP_NOTES+=("$note")
  [ "$result" = passed ] || mark="${RED}✗"
  printf '%s %s%s  %s%s  %s%s\n' "$mark" "$name" "$PLAIN" "$DIM" "$(seconds "$spent")" "$note" "$PLAIN"
  [ "$result" = passed ] && return 0
  tail -n "${FAILURE_LINES:-80}" "$(log_of "$name")" | sed 's/^/    /'
  printf '    (whole log: %s)\n' "$(log_of "$name")"
  return 1
}

# halt_steps: ends whatever still runs, by the process groups we made.
halt_steps() {
  local pid
  for pid in $STEP_PID "${LATER_PID[@]}"; do
    kill -TERM -- "-$pid" 2>/dev/null || true
  done
}

# conclude: prints the table and ends the run, with 1 when anything failed.
conclude() {
  local index passed=0 failed=0
  printf '\n%-34s %10s  %s\n' Step Time Result
  for index in "${!STEP_NAMES[@]}"; do
    printf '%-34s %10s  %s  %s\n' "${STEP_NAMES[$index]}" "$(seconds "${STEP_TIMES[$index]}")" \
      "${STEP_RESULTS[$index]}" "${STEP_NOTES[$index]}"
    if [ "${STEP_RESULTS[$index]}" = passed ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done
  printf '\nWhole run: %s\n%d passed, %d failed\n' "$(seconds $(($(now_ms) - RUN_STARTED)))" "$passed" "$failed"
  [ "$failed" -eq 0 ]
  exit $?
}
