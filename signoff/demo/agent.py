"""The demo's agent: a process of its own, written as any agent would be."""

from __future__ import annotations

from typing import Any

from signoff import NotApproved, Rejected, Signoff

WISHES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    (
        "refund.create",
        {"customer": "cus_42", "amount": 120},
        {"reason": "Duplicate charge, ticket 991", "reversible": False},
    ),
    (
        "database.drop",
        {"database": "customers"},
        {"reason": "Nobody has read it since Monday", "reversible": False},
    ),
    (
        "email.send",
        {"to": "ana@example.com", "subject": "Your refund", "body": "80 EUR are on their way."},
        {"reason": "The customer waits for an answer", "reversible": False},
    ),
)
SECONDS = 60.0


def main() -> None:
    """Ask three times, and run exactly what was approved."""
    with Signoff() as signoff:
        for action, payload, ask in WISHES:
            tell(f"may I run {action} with {payload}?")
            try:
                receipt = signoff.ask(action, payload, timeout=SECONDS, **ask)
            except Rejected as answer:
                tell(f"it was rejected, so nothing runs. I am told: {answer.detail}")
            except NotApproved as answer:
                tell(f"nothing runs: {answer}")
            else:
                edited = " (a person has changed it)" if receipt.edited else ""
                tell(f"approved, with a signed receipt. Now I run {action} with {receipt.payload}{edited}")
                signoff.report(receipt.id, succeeded=True, note="done")


def tell(line: str) -> None:
    """One line of the story."""
    print(f"agent      {line}", flush=True)


if __name__ == "__main__":
    main()
