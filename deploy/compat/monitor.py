#!/usr/bin/env python3
"""The older name of `hearth monitor`: --host, --interval, --duration, --output."""

import os
import sys

os.execvp("hearth", ["hearth", "monitor", *sys.argv[1:]])
