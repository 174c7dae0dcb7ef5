# shellcheck shell=bash
# Steps, ticks and tool checks shared by ./run, ./test and the scripts beside this file.
# Sourced, never executed. Expects the working directory to be the top of the checkout.

CACHE_DIR=${CACHE_DIR:-$PWD/.cache}
PATH=$HOME/.cargo/bin:$PATH

# The colours are for the scripts that source this file.
# shellcheck disable=SC2034
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  GREEN=$'\033[32m' RED=$'\033[31m' DIM=$'\033[2m' PLAIN=$'\033[0m'
else
  GREEN='' RED='' DIM='' PLAIN=''
fi

# now_ms: milliseconds on the wall clock.
now_ms() { date +%s%3N; }

# seconds MS: prints a duration as seconds with one decimal.
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# complain TEXT...: one line on stderr, in red.
complain() { printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2; }

# die TEXT...: complains and ends the script.
die() {
  complain "$@"
  exit 1
}

# at_least HAVE WANT: is version HAVE the same as WANT or newer?
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# as_root COMMAND...: runs it as root, directly or through a sudo that asks nothing.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}

# apt_install PACKAGE...: installs Debian packages, or says the command that would.
apt_install() {
  if command -v apt-get >/dev/null && as_root true; then
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1; then
      as_root apt-get update -qq >/dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >/dev/null &&
        return 0
      complain "apt-get could not install: $*"
      return 1
    fi
  else
    complain "missing: $*. Install with: sudo apt-get install -y $*"
    return 1
  fi
}

# need COMMAND PACKAGE...: makes sure a command exists, installing the packages if not.
need() {
  local tool=$1
  shift
  command -v "$tool" >/dev/null && return 0
  apt_install "$@" || return 1
  hash -r
  command -v "$tool" >/dev/null || {
    complain "$tool is still missing after installing $*"
    return 1
  }
}

# need_rust: cargo 1.95 or newer. Debian's own is older, so this is never installed behind your back.
need_rust() {
  local have
  have=$(cargo --version 2>/dev/null | awk '{print $2}')
  if [ -z "$have" ]; then
    complain "Rust is missing. Install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
    return 1
  fi
  at_least "$have" 1.95.0 && return 0
  complain "Rust $have is too old, 1.95 or newer is needed. Update with: rustup update stable"
  return 1
}

# need_c: a C compiler and the linker that .cargo/config.toml names.
need_c() {
  need cc gcc libc6-dev && need ld.lld lld
}

# need_node: Node 20.19 or newer with npm; Debian's is used where it is new enough.
need_node() {
  command -v node >/dev/null && command -v npm >/dev/null ||
    apt_install nodejs npm || true
  local have
  have=$(node --version 2>/dev/null | tr -d v)
  if [ -n "$have" ] && at_least "$have" 20.19.0 && command -v npm >/dev/null; then return 0; fi
  complain "Node 20.19 or newer with npm is needed for the page (found: ${have:-none})."
  complain "Install it from https://nodejs.org/en/download or with your package manager, then run this again."
  return 1
}

# need_python: Python 3 with pip and venv.
need_python() {
  need python3 python3 || return 1
  python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip || return 1
  python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv
}

# install_page: the page's packages, exactly as locked.
# `npm ci` refuses a lock file made where a registry lacks optional packages of other platforms;
# `npm install --no-save` then takes the same locked versions.
install_page() {
  npm --prefix ui ci --no-audit --no-fund || npm --prefix ui install --no-save --no-audit --no-fund
}

# free_port: prints a loopback port nobody listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# unzip_to ARCHIVE DIRECTORY: unpacks a zip with nothing but Python.
unzip_to() { python3 -m zipfile -e "$1" "$2"; }

# digest_of PATH...: one hash over the names and contents of files and directories, build output left out.
digest_of() {
  find "$@" -type d \( -name node_modules -o -name dist \) -prune -o -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

# wait_until SECONDS COMMAND...: polls ten times a second until the command succeeds.
wait_until() {
  local tries=$(($1 * 10))
  shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}

# stop_pid PID [SIGNAL]: ends one process that we started and waits until it is gone.
stop_pid() {
  kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
  wait_until 10 gone "$1" || kill -KILL "$1" 2>/dev/null || true
}

# gone PID: has the process ended?
gone() { ! kill -0 "$1" 2>/dev/null; }
