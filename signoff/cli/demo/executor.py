"""The sample executor: it alone books refunds, and only what its guard lets it; docs/executor.md explains it.

`python -m signoff.cli.demo.executor` reads one JSON object, `{"receipt": …, "payload": …}`, and prints what
became of it. In the demo all programs are the same user's, so nothing but good manners keeps an agent from
`refunds.csv`; where it matters the executor has a user, and the credential, of its own.
"""

from __future__ import annotations

import json
import os
import sys

from signoff import Guard, NotApproved, NotVerified
from signoff.queue.data_folder import agent_settings

# The server's own word on its key: not what an agent says.
SERVER = agent_settings()
guard = Guard(os.path.abspath("spent.db"), SERVER["SIGNOFF_VERIFY_KEY"], agents=["billing-bot", "billing"])


@guard.protects("refund.create")
def refund(customer: str, amount: int, currency: str, note: str = "") -> str:
    """Book it in refunds.csv."""
    with open("refunds.csv", "a", encoding="utf-8") as book:
        book.write(f"{customer},{amount},{currency},{note!r}\n")
    return f"Booked {amount} {currency} for {customer}."


def main() -> int:
    """One refund; 0 where it was booked."""
    asked = json.load(sys.stdin)
    try:
        print(refund(asked["receipt"], asked["payload"]))
    except (NotApproved, NotVerified) as error:
        print(f"Refused: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
