"""An agent, as a process: asks for what stands on stdin, and prints what it got as one JSON line.

stdin is the arguments of `Signoff.ask` as a JSON object, and maybe `then`: the note of the outcome that the
agent reports once it may run.
"""

from __future__ import annotations

import json
import sys

from signoff import NotApproved, Signoff


def main() -> None:
    given = json.load(sys.stdin)
    then = given.pop("then", "")
    with Signoff() as signoff:
        ticket = signoff.request(**given)
        try:
            receipt = ticket.wait(300)
        except NotApproved as error:
            assert error.receipt
            receipt = error.receipt
        if then and receipt.approved:
            signoff.report(ticket.id, succeeded=True, note=then)
        print(receipt.model_dump_json(), flush=True)


if __name__ == "__main__":
    main()
