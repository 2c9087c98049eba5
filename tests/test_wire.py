"""docs/wire.md: every example there is decoded as what it says it is, and names what the page says of it.

Whoever writes a section adds its kind to `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signoff import stops
from signoff.approvals.kinds import kind_of
from signoff.errors import NotVerified
from signoff.models import receipt_claims
from signoff.models.feedback import ANSWERS
from signoff.models.lessons import Lesson, Wanted
from signoff.models.messages import (
    ApprovalRequest,
    Cancel,
    CanUndo,
    Freeze,
    Outcome,
    Reply,
    Response,
    Spend,
    build,
)
from signoff.models.questions import GivenAnswer, Question, Wire
from signoff.models.talks import Message
from signoff.payload.canonical import parse
from signoff.receipts import (
    LESSONS_SECONDS,
    UNDO_TEST_SECONDS,
    Signer,
    accept_inquiry,
    verify_keys,
    verify_lessons,
    verify_undo_test,
)
from signoff.signatures import INQUIRY, LESSONS, STOPS, UNDO_TEST

PAGE = (Path(__file__).parents[1] / "docs" / "wire.md").read_text(encoding="utf-8")
AGENT = "billing-bot"
EXAMPLE = re.compile(r"<!-- wire: ([a-z-]+) -->\n```json\n(.*?)\n```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(PAGE)


def request(text: str) -> Any:
    found = ApprovalRequest.decode(text)
    assert found.commits(AGENT), found.id
    return kind_of(found).check(found)


def question(text: str) -> Any:
    found = request(text)
    assert found.kind == "question" and Question.of(found.payload).payload() == found.payload
    return found


def feedback(text: str) -> Any:
    """As it is asked; the receipt on the page is this one's, and holds the answer that stands there."""
    found = request(text)
    told = [parse(body) for kind, body in EXAMPLES if kind == "receipt"]
    [of_it] = [one for one in told if one["sub"] == str(found.id)]
    [given] = [parse(body) for kind, body in EXAMPLES if kind == "feedback"]
    assert (found.kind, of_it["kind"], of_it["status"]) == ("feedback", "feedback", "answered")
    assert of_it["answer"] == given and of_it["digest"] == found.digest
    return found


def undo_test(text: str) -> Any:
    """Signed, it asks an agent for this test, and for no longer than the server would."""
    signer, claims = Signer.generate(), parse(text)
    assert claims["exp"] - claims["iat"] == UNDO_TEST_SECONDS
    token = signer.seal(UNDO_TEST, {**claims, "exp": 4_000_000_000})
    return verify_undo_test(token, verify_keys(signer.verify_key), AGENT, claims["sub"]) == claims["action"]


def lessons_told(text: str) -> Any:
    """Signed, they are taken by who has asked for them."""
    signer, claims = Signer.generate(), parse(text)
    assert claims["exp"] - claims["iat"] == LESSONS_SECONDS
    token = signer.seal(LESSONS, {**claims, "exp": 4_000_000_000})
    return verify_lessons(token, verify_keys(signer.verify_key), AGENT, claims["sub"])


def stops_told(text: str) -> Any:
    """Signed, it is a statement, of the stops that stand there."""
    signer, claims = Signer.generate(), parse(text)
    found = stops.verify(signer.seal(STOPS, claims), verify_keys(signer.verify_key))
    assert [one.claims() for one in found.stops] == claims["stops"]
    return found


def answer(text: str) -> Any:
    asked = [Question.of(parse(body)["payload"]) for kind, body in EXAMPLES if kind == "question"]
    given = GivenAnswer.of(parse(text))
    assert given.check(asked[0]).said() == parse(text)
    return given


def receipt(text: str) -> Any:
    claims = parse(text)
    receipt_claims.check(claims)
    assert claims["aud"] == AGENT and all(name in claims for name in receipt_claims.REQUIRED)
    return claims


def inquiry(text: str) -> Any:
    """Signed, and taken with the message that stands before it."""
    signer, claims = Signer.generate(), parse(text)
    message = next(build(Message, parse(one)) for kind, one in EXAMPLES if kind == "message")
    token = signer.seal(INQUIRY, {**claims, "exp": 4_000_000_000})
    asked = accept_inquiry(
        message.model_copy(update={"token": token}), verify_keys(signer.verify_key), agent=AGENT,
        talk_id=claims["sub"],
    )  # fmt: skip
    assert (asked.text, asked.by, asked.request_id) == (message.text, "Ana", claims["request"])
    return asked


def body(kind: type[Wire]) -> Callable[[str], Any]:
    return lambda text: build(kind, parse(text))


KINDS: dict[str, Callable[[str], Any]] = {
    "request": request,
    "question": question,
    "answer": answer,
    "receipt": receipt,
    "response": Response.decode,
    "cancel": body(Cancel),
    "spend": body(Spend),
    "outcome": body(Outcome),
    "freeze": body(Freeze),
    "reply": body(Reply),
    "undo": body(CanUndo),
    "message": body(Message),
    "inquiry": inquiry,
    "lessons": body(Wanted),
    "lesson": body(Lesson),
    "feedback-request": feedback,
    "undo-test": undo_test,
    "lessons-told": lessons_told,
    "stops": stops_told,
    "feedback": lambda text: GivenAnswer.of(parse(text)).choice[0] in ANSWERS,
}


@pytest.mark.parametrize(
    ("kind", "text"), EXAMPLES, ids=[f"{n} {kind}" for n, (kind, _) in enumerate(EXAMPLES)]
)
def test_every_example_is_what_it_says(kind: str, text: str) -> None:
    assert KINDS[kind](text)


def test_no_example_is_passed_over() -> None:
    assert PAGE.count("```json") == len(EXAMPLES) >= 10


def test_what_the_page_calls_no_receipt_is_none() -> None:
    answered = next(
        one for kind, text in EXAMPLES if kind == "receipt" and (one := parse(text))["kind"] == "question"
    )
    approved = next(
        one for kind, text in EXAMPLES if kind == "receipt" and (one := parse(text))["kind"] != "question"
    )
    for wrong in (
        {**answered, "status": "approved"},
        {**answered, "status": "rejected", "answer": None},
        {**answered, "kind": "approval"},
        {**answered, "answer": None},
        {**approved, "answer": answered["answer"]},
        {**approved, "status": "answered"},
    ):
        with pytest.raises(NotVerified):
            receipt_claims.check(wrong)
