"""Known faults in what is installed, by pip-audit; where no service answers it says *not run*."""

from __future__ import annotations

import json
import subprocess
import sys

SECONDS = 120
OURS = "signoff"


def main() -> int:
    """1 where something installed has a known fault; else 0."""
    options = ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    command = [sys.executable, "-m", "pip_audit", *options]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        told = json.loads(run.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return not_run(f"no service answers ({type(error).__name__})")
    known = [one for one in told if "vulns" in one]
    skipped = [one["name"] for one in told if "vulns" not in one and one["name"] != OURS]
    if not known:
        return not_run("the service that answers knows none of the packages")
    faults = [(one["name"], one["version"], fault["id"]) for one in known for fault in one["vulns"]]
    for name, version, fault in faults:
        print(f"pip-audit: {name} {version} has a known fault: {fault}")
    unknown = f"; not known to it, so not looked at: {', '.join(skipped)}" if skipped else ""
    print(f"pip-audit: looked at {len(known)} packages, {len(faults)} known faults{unknown}.")
    return 1 if faults else 0


def not_run(why: str) -> int:
    """Said aloud; it fails nothing, for it is no fault of ours."""
    print(f"pip-audit: not run: {why}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
