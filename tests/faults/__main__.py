"""`make faults`: every kind of fault as often as docs/reliability.md says, or those that FAULTS names.

What was done before is in the results' file, and is not done again: an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from faults.campaign import WORKS, run
from faults.results import Results, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(WORKS)}; all where none is named")
    parser.add_argument("--results", type=Path, default=Path("faults.jsonl"), help="where rounds are noted")
    parser.add_argument("--seed", type=int, default=1, help="the first round's; the next has the next")
    parser.add_argument("--times", type=int, help="how often, instead of as often as is promised")
    parser.add_argument("--report", action="store_true", help="only print the table of what was run")
    given = parser.parse_args()
    results = Results(given.results)
    unknown = [kind for kind in given.kinds if kind not in WORKS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}: choose of {', '.join(WORKS)}")
    for kind in [] if given.report else given.kinds or WORKS:
        for round in run(kind, results, given.seed, given.times):
            print(table([round]).splitlines()[2], f"seed {round.seed}", flush=True)
            for line in round.details:
                print(f"    {line}", flush=True)
    print(table(results.rounds()))
    return 0 if all(round.ok for round in results.rounds()) else 1


if __name__ == "__main__":
    sys.exit(main())
