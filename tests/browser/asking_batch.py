"""An agent, as a process: asks for several things together, and prints what it got of each, a JSON list.

stdin is a JSON object: `title`, and `asks`, a list of the arguments of `request`.
"""

from __future__ import annotations

import json
import sys

from signoff import Signoff


def main() -> None:
    given = json.load(sys.stdin)
    with Signoff() as signoff:
        with signoff.batch(given["title"]) as batch:
            for one in given["asks"]:
                batch.request(**one)
        receipts = batch.wait(300)
        print(json.dumps([receipt.model_dump(mode="json") for receipt in receipts]), flush=True)


if __name__ == "__main__":
    main()
