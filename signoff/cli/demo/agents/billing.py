"""Refunds a customer who was charged twice, once a person has agreed; they may lower the amount."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from signoff import NotApproved, Receipt, Signoff
from signoff.cli.demo.agents.cases import case

CASES = (
    ("cus_42", 120, "EUR", "Sorry for that!", "was charged twice", "Charged twice for one order"),
    ("cus_307", 1290, "EUR", "The money is on its way.", "never got the sofa", "The carrier lost the parcel"),
    (
        "cus_18",
        35,
        "USD",
        "Thank you for telling us.",
        "got the wrong size",
        "Sent back last week, and it arrived",
    ),
    ("cus_211", 249, "GBP", "Sorry for the delay.", "cancelled in time", "Cancelled within the 14 days"),
)
"""Customer, amount, currency, note, what happened, and why."""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "customer": {"type": "string"},
        "amount": {"type": "integer", "minimum": 1, "description": "At most what was paid"},
        "currency": {"enum": ["EUR", "USD", "GBP"]},
        "note": {"type": "string", "description": "The customer reads this"},
    },
    "required": ["customer", "amount", "currency"],
}
"""The order of the card's fields, and what a correction has to keep to."""


def _schema(paid: int) -> dict[str, Any]:
    """Nobody gets more back than they paid."""
    properties = SCHEMA["properties"]
    return {**SCHEMA, "properties": {**properties, "amount": {**properties["amount"], "maximum": paid}}}


def hand_over(receipt: Receipt) -> bool:
    """Have the executor book it: it holds the book, and its guard lets it do what was approved, once."""
    asked = json.dumps({"receipt": receipt.token, "payload": receipt.payload})
    executor = [sys.executable, "-m", "signoff.cli.demo.executor"]
    done = subprocess.run(executor, input=asked, text=True, stdout=subprocess.PIPE, check=False)
    print(f"The executor: {done.stdout.strip() or 'no answer.'}")
    return done.returncode == 0


def main(ticket: str) -> None:
    """Ask, refund what was approved, and report."""
    customer, amount, currency, note, happened, why = case(CASES, ticket)
    with Signoff() as signoff:
        print(f"Ticket {ticket}: {customer} {happened}. May I refund {amount} {currency}?")
        try:
            receipt = signoff.ask(
                "refund.create",
                {"customer": customer, "amount": amount, "currency": currency, "note": note},
                reason=f"{why}, ticket {ticket}",
                reversible="costly",
                undo="Ask the customer to pay again",
                alternatives="Leave it as credit for the next order",
                tags=["money"],
                schema=_schema(amount),
                key=f"ticket-{ticket}",
            )
        except NotApproved as answer:
            print(f"No refund. {answer}")
            return
        who = receipt.decided_by.name if receipt.decided_by else "somebody"
        print(f"{who} approved it{', with changes' if receipt.edited else ''}: {receipt.payload}")
        booked = hand_over(receipt)
        signoff.report(
            receipt.id, succeeded=booked, note=f"re_{ticket}" if booked else "The executor refused."
        )
        print(f"Refunded as re_{ticket}, and reported." if booked else "Not refunded, and reported.")


if __name__ == "__main__":
    main(sys.argv[1])
