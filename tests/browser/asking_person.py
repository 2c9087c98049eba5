"""An agent, as a process: asks a person what stands on stdin, and prints what it got as one JSON line.

stdin is the arguments of `Signoff.ask_person` as a JSON object.
"""

from __future__ import annotations

import json
import sys

from signoff import NotApproved, Signoff


def main() -> None:
    given = json.load(sys.stdin)
    with Signoff() as signoff:
        try:
            answer = signoff.ask_person(given.pop("question"), timeout=300, **given)
        except NotApproved as error:
            print(json.dumps({"status": error.status, "why": str(error)}), flush=True)
            return
    said = {
        "status": answer.receipt.status, "choices": answer.choices, "text": answer.text, "by": answer.by,
        "date": str(answer.date) if answer.date else None, "default": answer.default, "none": answer.none,
    }  # fmt: skip
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
