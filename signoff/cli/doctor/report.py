"""How a checkup is told: lines for people, or one line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from signoff.cli.doctor.checkup import Check, examine

MARKS = {"ok": "✓", "noted": "!", "failed": "✗", "skipped": "–"}


def report(*, json_wanted: bool = False) -> int:
    """Check everything and print it; 1 when something failed, else 0."""
    checks = examine()
    healthy = all(check.status != "failed" for check in checks)
    if json_wanted:
        print(json.dumps({"ok": healthy, "checks": [asdict(check) for check in checks]}))
    else:
        print("\n".join(line for check in checks for line in _lines(check)))
    return 0 if healthy else 1


def _lines(check: Check) -> list[str]:
    skipped = "skipped: " if check.status == "skipped" else ""
    lines = [f"{MARKS[check.status]} {check.name:<10} {skipped}{check.found}"]
    return [*lines, f"  {'':<10} → {check.fix}"] if check.fix else lines
