"""An agent, as a process: asks, answers what people ask about it, and prints what it got as one JSON line.

The first line of stdin is the arguments of `Signoff.request` as a JSON object; each later one is the answer
to the next question.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from signoff import Inquiry, NotApproved, Signoff


def main() -> None:
    given, heard = json.loads(sys.stdin.readline()), list[dict[str, Any]]()
    with Signoff() as signoff:

        @signoff.on_question(action=given["action"])
        def because(inquiry: Inquiry) -> str:
            heard.append({"text": inquiry.text, "by": inquiry.by, "action": inquiry.action})
            return sys.stdin.readline().rstrip("\n")

        try:
            receipt = signoff.request(**given).wait(300)
        except NotApproved as error:
            assert error.receipt
            receipt = error.receipt
        notes = [{"by": note.by, "text": note.text} for note in receipt.notes]
        got = {"status": receipt.status, "payload": receipt.payload, "notes": notes, "heard": heard}
        print(json.dumps(got), flush=True)


if __name__ == "__main__":
    main()
