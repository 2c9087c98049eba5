"""An agent, as a process: makes a refund that a policy lets run, undoes it once somebody presses Undo, and
prints each thing that it did as one JSON line. stdin is the refund's arguments as a JSON object.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from signoff import Signoff


def main() -> None:
    given, undone = json.load(sys.stdin), threading.Event()
    signoff = Signoff()

    def say(what: str, **said: Any) -> None:
        print(json.dumps({"did": what, **said}), flush=True)

    @signoff.require_approval(action="refund.create", reversible="costly", result=True)
    def refund(customer: str, amount: int) -> dict[str, str]:
        say("refund", customer=customer, amount=amount)
        return {"id": f"re_{customer}"}

    @refund.undo(action="refund.cancel", test=lambda: None)  # type: ignore[attr-defined]
    def cancel(id: str, amount: int) -> None:
        say("cancel", id=id, amount=amount)
        undone.set()

    refund(**given)
    assert undone.wait(120)


if __name__ == "__main__":
    main()
