"""What docs/agents.md and docs/learning.md show of an agent's code runs as it stands there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from signoff import Signoff
from signoff.models.lessons import Lesson
from signoff.testing import Approvals

DOCS = Path(__file__).parents[2] / "docs"
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"\n\n((?:    .*\n|\n)+)")


def blocks(page: str, chapter: str = "") -> list[str]:
    """The pieces of Python of a page, or of one of its chapters."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if chapter:
        text = re.split(r"^## ", text.split(f"\n## {chapter}\n")[1], flags=re.MULTILINE)[0]
    fenced = FENCED.findall(text)
    return fenced or [textwrap.dedent(one) for one in INDENTED.findall(text) if "signoff" in one]


def run(code: str, **around: Any) -> dict[str, Any]:
    exec(compile(code, "docs", "exec"), around)
    return around


def test_a_batch(signoff_approvals: Approvals) -> None:
    tidied: list[str] = []
    signoff_approvals.approve()
    with Signoff() as signoff:
        [code] = blocks("agents.md", "Many together")
        run(code, signoff=signoff, old=["7", "8"], tidy=lambda ticket: tidied.append(ticket))
    assert tidied == ["7", "8"] and len(signoff_approvals.outcomes) == 2
    [(title, asked)] = signoff_approvals.batches
    assert (title, len(asked), asked[0].run) == ("Clean up 40 tickets", 2, "night 12")


def test_a_question(signoff_approvals: Approvals) -> None:
    signoff_approvals.answer("b")
    with Signoff() as signoff:
        [code] = blocks("agents.md", "A question")
        assert run(code, signoff=signoff)["answer"].choice == "b"
    [request] = signoff_approvals.requests
    assert request.payload["why"] == "ambiguous" and request.context == {"ticket": 991}


def test_an_undo(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    cancelled: list[str] = []
    bank = SimpleNamespace(
        refund=lambda customer, amount: "re_1",
        cancel=cancelled.append,
        sandbox=lambda: SimpleNamespace(cancel_and_refund=lambda: None),
    )
    with Signoff() as signoff:
        first, *others = blocks("agents.md", "Undo")
        names = run(first, signoff=signoff, bank=bank)
        for code in others:
            compile(code, "docs", "exec")
        assert names["refund"]("cus_42", 120) == {"id": "re_1"}
        names["cancel"]("re_1", 120)
    assert cancelled == ["re_1"]
    [outcome] = signoff_approvals.outcomes.values()
    assert outcome.result == {"id": "re_1"}


def test_somebody_asks_the_agent(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    with Signoff() as signoff:
        ticket = signoff.request("refund.create", {"amount": 120}, reversible=True)
        [code] = blocks("agents.md", "When somebody asks the agent")
        asked: list[Any] = []

        def answer(about: Any, text: str) -> str:
            asked.append((about, text))
            return "Invoice 7."

        known = {ticket.id: "ticket 991"}
        run(code, signoff=signoff, llm=SimpleNamespace(answer=answer), tickets=known)
        assert signoff_approvals.ask_agent("Which invoice?", "refund.*") == "Invoice 7."
    assert asked == [("ticket 991", "Which invoice?")]


def test_what_is_learnt(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    signoff_approvals.lessons.append(
        Lesson(kind="rejected", agent="billing-bot", action="refund.create", reason="Ask first.")
    )
    with Signoff() as signoff:
        receipt = signoff.ask("refund.create", {"amount": 120}, reversible=True)
        names: dict[str, Any] = {"signoff": signoff, "receipt": receipt, "prompt": ""}
        for code in blocks("learning.md"):
            names = run(code, **names)
    assert signoff_approvals.outcomes[receipt.id].result == {"id": "re_991", "amount": 120}
    [asked] = signoff_approvals.feedback
    assert asked.title == "Monday's numbers" and "Ask first." in names["prompt"]
