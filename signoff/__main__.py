"""`python -m signoff`. Python looks for modules in the current folder then: not for what ours need."""

import os
import sys

try:
    _here = os.getcwd()
except OSError:  # it was deleted
    _here = ""
if _here != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):
    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.curdir, _here)]

from signoff.cli.entry import main

raise SystemExit(main())
