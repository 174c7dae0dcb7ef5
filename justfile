# The verbs of daily work. `./run` and `./test` need nothing but themselves; these are shorter words for parts of them.

# Lists the verbs.
default:
    @just --list

# Starts a debug server on ./data.
dev:
    cargo run --package server --bin hearth -- serve

# Starts the page with live reload beside a server from `just dev`.
ui:
    npm --prefix ui run dev

# Format, lints and the rules of the house.
check:
    ./test --quick

# Everything that must hold.
test:
    ./test

# Writes the API description, the configuration reference and the page's types.
gen:
    cargo xtask gen

# The journeys that drive the built binary; PostgreSQL must be named by HEARTH_TEST_POSTGRES_URL.
e2e:
    cargo build --package server --bin hearth
    cargo nextest run --package e2e

# The kill -9 figure: 200 cycles per engine.
kill9 cycles="200":
    scripts/kill-cycles {{cycles}}

# The power-cut figure: 5,000 states of the disk.
power-cuts images="5000":
    scripts/power-cuts {{images}}

# Instructions per request, counted by callgrind, against scripts/cost.txt; `just cost release` for the release build.
cost profile="dev":
    scripts/cost {{profile}}

# Every command of the runbooks, or of those named, against a scratch server; needs the services of HEARTH_TEST_POSTGRES_*.
runbooks *pages:
    cargo build --package server --bin hearth
    python3 scripts/kit/runbooks.py target/debug/hearth {{pages}}

# Answers per second of the health check against a FastAPI program.
bench-live:
    scripts/bench-http

# Memory of an idle server, with and without the embedding model.
bench-rss:
    scripts/bench-rss

# Release binary with the page inside.
dist:
    npm --prefix ui ci
    npm --prefix ui run build
    cargo build --release --package server --bin hearth
