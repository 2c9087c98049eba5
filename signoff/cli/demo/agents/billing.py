"""Refunds a customer who was charged twice, once a person has agreed; they may lower the amount."""

from __future__ import annotations

import json
import subprocess
import sys

from signoff import NotApproved, Receipt, Signoff

REFUND = {
    "type": "object",
    "properties": {
        "customer": {"type": "string"},
        "amount": {"type": "integer", "minimum": 1, "maximum": 120, "description": "At most what was paid"},
        "currency": {"enum": ["EUR", "USD", "GBP"]},
        "note": {"type": "string", "description": "The customer reads this"},
    },
    "required": ["customer", "amount", "currency"],
}
"""The order of the card's fields, and what a correction has to keep to."""


def hand_over(receipt: Receipt) -> bool:
    """Have the executor book it: it holds the book, and its guard lets it do what was approved, once."""
    asked = json.dumps({"receipt": receipt.token, "payload": receipt.payload})
    executor = [sys.executable, "-m", "signoff.cli.demo.executor"]
    done = subprocess.run(executor, input=asked, text=True, stdout=subprocess.PIPE, check=False)
    print(f"The executor: {done.stdout.strip() or 'no answer.'}")
    return done.returncode == 0


def main(ticket: str) -> None:
    """Ask, refund what was approved, and report."""
    with Signoff() as signoff:
        print(f"Ticket {ticket}: cus_42 was charged twice. May I refund 120 EUR?")
        try:
            receipt = signoff.ask(
                "refund.create",
                {"customer": "cus_42", "amount": 120, "currency": "EUR", "note": "Sorry for that!"},
                reason=f"Charged twice for one order, ticket {ticket}",
                reversible="costly",
                undo="Ask the customer to pay again",
                alternatives="Leave it as credit for the next order",
                tags=["money"],
                schema=REFUND,
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
