"""`signoff doctor`: looks at everything a server needs, changes nothing, and says what to do."""

from __future__ import annotations

from signoff.doctor.checkup import Check, examine
from signoff.doctor.report import report

__all__ = ["Check", "examine", "report"]
