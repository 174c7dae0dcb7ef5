#!/bin/sh
# The older name of `hearth loadtest smoke|basic|concurrent|stress`, with its arguments.
case ${1-} in
  smoke | basic | concurrent | stress) exec hearth loadtest "$@" ;;
esac
echo 'usage: run-load-test.sh smoke|basic|concurrent|stress [--host URL] ...' >&2
exit 1
