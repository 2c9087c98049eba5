"""Writes to a client: a function that asks before it runs, and then runs with the text that was approved."""

from __future__ import annotations

import sys
from pathlib import Path

from signoff import NotApproved, Signoff
from signoff.cli.demo.agents.cases import case

signoff = Signoff()
CASES = (
    (
        "c.sommer@example.com",
        """\
Dear Ms Sommer,

thank you for your patience. Your second payment is on its way back to you.

We have also put 10 EUR of credit on your account.

Kind regards
Your support team
""",
    ),
    (
        "j.okafor@example.org",
        """\
Dear Mr Okafor,

your sofa will come on Thursday between 9 and 12. The carrier calls half an hour before.

Kind regards
Your support team
""",
    ),
)
"""To whom, and what."""


def key(subject: str) -> str:
    """One request a ticket, however often this runs."""
    return subject


@signoff.require_approval(
    action="email.send",
    reason="The client has waited for an answer since yesterday",
    key=key,
    reversible=False,
    impact="One client reads it",
    tags=["external"],
)
def send(to: str, subject: str, body: str) -> str:
    """Answer the client."""
    letter = Path("outbox", f"{subject.rpartition('#')[2]}.txt")
    letter.parent.mkdir(exist_ok=True)
    letter.write_text(f"To: {to}\nSubject: {subject}\n\n{body}", encoding="utf-8")
    return f"To {to}, {len(body)} characters, in {letter}"


def main(ticket: str) -> None:
    """Send one e-mail; the decorator asks, and reports what became of it."""
    to, body = case(CASES, ticket)
    print(f"I have written an answer to ticket {ticket}. May I send it?")
    try:
        print("Approved and sent. " + send(to, f"Your question, ticket #{ticket}", body))
    except NotApproved as answer:
        print(f"Not sent. {answer}")
    signoff.close()


if __name__ == "__main__":
    main(sys.argv[1])
