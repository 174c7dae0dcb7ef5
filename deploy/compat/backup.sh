#!/bin/sh
# The older name of `hearth backup create`, with its arguments. Ends with 0, or with 1 and `Backup failed!` on stderr.
if made=$(hearth backup create "$@"); then
  echo "$made"
  echo "Backup completed: $(echo "$made" | sed -n 's/^Backup successful: //p')"
else
  # Of a setting that cannot be used the command speaks in other words.
  [ $? -ne 2 ] || echo 'Backup failed!' >&2
  exit 1
fi
