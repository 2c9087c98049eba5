"""Applies a plan that is too long for a card, then does two steps that belong to the same piece of work."""

from __future__ import annotations

import sys
from pathlib import Path

from signoff import NotApproved, Signoff

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
PLAN = [
    f"{'replace' if number % 9 == 0 else 'move'} server web-{number:03d} to {ZONES[number % 3]}, "
    f"disk {40 + 10 * (number % 5)} GB, {'two minutes down' if number % 9 == 0 else 'no downtime'}"
    for number in range(1, 241)
]
STEPS = (
    (
        "dns.switch",
        {"name": "shop.example.com", "from": "198.51.100.7", "to": "203.0.113.20"},
        "The shop answers in Europe now",
    ),
    ("network.close", {"network": "us-east-old", "ports": [80, 443]}, "Nothing listens there any more"),
)


def main(ticket: str) -> None:
    """Ask for the plan; if it may be, ask for both steps at once, as one run, and do what is approved."""
    with Signoff() as signoff:
        print(f"The plan to move the shop to Europe has {len(PLAN)} steps. May I apply it?")
        try:
            receipt = signoff.ask(
                "infrastructure.apply",
                {"workspace": "shop", "steps": PLAN},
                reason=f"Change {ticket}: the shop's customers are in Europe",
                reversible="costly",
                undo="Apply the plan of last week again: about an hour",
                tags=["production"],
                key=f"change-{ticket}",
            )
            Path(f"applied-{ticket}.txt").write_text("\n".join((receipt.payload or {})["steps"]) + "\n")
            signoff.report(receipt.id, succeeded=True, note=f"{len(PLAN)} steps")
            print("Approved and applied. Two steps are left: I ask for both, and they share a thread.")
            asked = [
                signoff.request(
                    action,
                    payload,
                    reason=why,
                    reversible=True,
                    run=f"change {ticket}",
                    key=f"{action}-{ticket}",
                )
                for action, payload, why in STEPS
            ]
            for (action, *_), ticket_ in zip(STEPS, asked, strict=True):
                signoff.report(ticket_.wait().id, succeeded=True)
                print(f"{action} was approved, and is done.")
        except NotApproved as answer:
            print(f"I leave it as it is. {answer}")


if __name__ == "__main__":
    main(sys.argv[1])
