"""What both ends of the wire take for granted; here, as some of them cannot wait for pydantic."""

from __future__ import annotations

import re
from typing import Final

VERSION: Final = 1
"""Of the wire. A server takes its own and the one before."""
AGENT: Final = re.compile(r"[a-z0-9-]{1,40}")
"""An agent's name."""
DEPLOYMENT: Final = "signoff"
"""What a deployment is called that has no SIGNOFF_DEPLOYMENT."""
LESSONS: Final = 20
"""Lessons that are given where nobody says how many."""
