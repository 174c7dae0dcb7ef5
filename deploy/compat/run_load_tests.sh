#!/bin/sh
# The older name of `hearth loadtest steady|spike|endurance`, with its arguments; `all` runs one after another.
# Ends with the first code that is not 0, after all have run.
usage() {
  echo 'usage: run_load_tests.sh steady|spike|endurance|all [--host URL] ...' >&2
  exit 1
}
[ $# -gt 0 ] || usage
case $1 in
  steady | spike | endurance) exec hearth loadtest "$@" ;;
  all) shift ;;
  *) usage ;;
esac
worst=0
for scenario in steady spike endurance; do
  hearth loadtest "$scenario" "$@" || { code=$?; [ "$worst" -ne 0 ] || worst=$code; }
done
exit "$worst"
