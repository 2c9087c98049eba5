"""An agent, as a process: asks, reports what came of it, and prints what it learns of it as one JSON line.

The first line of stdin is the arguments of `Signoff.request` as a JSON object, and `result`, which it
reports; at the end of stdin it asks for its lessons.
"""

from __future__ import annotations

import json
import sys

from signoff import Signoff


def main() -> None:
    given = json.loads(sys.stdin.readline())
    result = given.pop("result")
    with Signoff() as signoff:
        receipt = signoff.request(**given).wait(300)
        signoff.report(receipt.id, succeeded=True, result=result)
        sys.stdin.read()
        lessons = signoff.lessons(given["action"], timeout=60)
        said = {
            "status": receipt.status, "lessons": [lesson.model_dump(mode="json") for lesson in lessons],
            "prompt": lessons.text(),
        }  # fmt: skip
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
