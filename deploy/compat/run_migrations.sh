#!/bin/sh
# The older name of `hearth migrate up`, with its arguments.
exec hearth migrate up "$@"
