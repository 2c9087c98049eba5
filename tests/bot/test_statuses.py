"""Every status in every text that reviewers read: each says its own, and one that nobody knows says nothing.

Whoever adds a status is told by the type checker where it is missing: matches over it have no default.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import signoff.bot
from signoff.approvals.errors import AlreadyDecided
from signoff.approvals.lists import Overview, Page
from signoff.bot.cards.card import card
from signoff.bot.cards.lists import home_view, list_blocks, list_view
from signoff.bot.cards.record import record_blocks, record_view
from signoff.bot.forms.conflict import lost_view
from signoff.bot.forms.modals import details_view
from signoff.bot.forms.review import review_view
from signoff.bot.listeners.replies import sentence
from signoff.bot.text.states import state_line
from signoff.bot.text.words import admin as admin_words
from signoff.models.approval import STATUSES, Approval
from signoff.models.lists import Listed
from signoff.models.messages import Decision
from signoff.models.threads import column_of

BEGAN = 1_795_000_000_000_000
SECOND = 1_000_000
NOW = BEGAN + 60 * SECOND
UNKNOWN = "superseded"
ENDED = tuple(status for status in STATUSES if status != "pending")

Look = Callable[[Approval], Any]


def voted(status: str) -> Decision | None:
    votes = {"approved": "approve", "rejected": "reject"}
    if status not in votes:
        return None
    at = datetime.fromtimestamp(BEGAN / 1e6 + 38, UTC)
    return Decision(vote=votes[status], approver="U0ANA", name="Ana", at=at)  # type: ignore[arg-type]


def listed(approval: Approval) -> Listed:
    decision = approval.decision
    return Listed(
        id=approval.id, agent=approval.agent, action=approval.action, status=approval.status,
        version=1, revision=approval.revision, created_at=BEGAN, expires_at=approval.expires_at,
        ended_at=approval.ended_at, vote=decision.vote if decision else None,
        approver=decision.approver if decision else "",
    )  # fmt: skip


def late(approval: Approval) -> str:
    error = AlreadyDecided(approval.status, "Ana", "U0ANA", BEGAN + 38 * SECOND)  # type: ignore[arg-type]
    return sentence(error, approval, NOW)


def page(approval: Approval, kind: Any = "history") -> Page:
    return Page(kind, (listed(approval),))


OF_ALL: dict[str, Look] = {
    "card": lambda one: card(one, now=NOW).blocks,
    "card of what was notified": lambda one: card(as_notified(one), now=NOW).blocks,
    "notification": lambda one: card(one, now=NOW).text.splitlines(),
    "history": lambda one: list_blocks(page(one), NOW),
    "list in a modal": lambda one: list_view(page(one), NOW)["blocks"],
    "home": lambda one: home_view(Overview(Page("pending"), Page("mine"), page(one, "owned"))),
    "show": lambda one: record_blocks(one, may_decide=False, now=NOW),
    "record": lambda one: record_view(one, NOW)["blocks"],
    "details": lambda one: details_view(one)["blocks"],
    "last page of a review": lambda one: review_view(one)["blocks"],
    "told to an admin": lambda one: admin_words.admin_cannot_show(one, "invalid_blocks", ""),
}
OF_ENDED: dict[str, Look] = {
    "state": state_line,
    "decided by me": lambda one: list_blocks(page(one, "mine"), NOW),
    "late click": late,
    "late form": lambda one: lost_view(late(one), one, {"amount": 80})["blocks"],  # type: ignore[arg-type]
}
EXPIRED_WORDS = ("nobody answered", "the time ran out", "it is expired", "this is expired")
APPROVED_WORDS = ("*approved*", "approved by policy", "approved this", "has not reported yet", "is approved")
REJECTED_WORDS = ("*rejected*", "rejected by", "rejected this", "is rejected", "sent back")


def as_notified(approval: Approval) -> Approval:
    return replace(approval, verdict=approval.verdict.model_copy(update={"effect": "notify"}))


@pytest.fixture
def at_rest(make: Callable[..., Approval]) -> Callable[[str], Approval]:
    """The same request in any status."""
    base = make({"amount": 120}, id="01930000-0000-7000-8000-000000000001", action="refund.create")

    def approval(status: str) -> Approval:
        if status == "pending":
            return base
        vote = voted(status)
        fields: dict[str, Any] = {"status": status, "ended_at": BEGAN + 38 * SECOND, "revision": 2}
        return replace(base, **fields, decisions=(vote,) if vote else ())

    return approval


def words(found: Any) -> str:
    """What there is to read, without ids: they count revisions."""
    if isinstance(found, dict):
        return "\n".join(words(value) for key, value in found.items() if key not in ("block_id", "value"))
    if isinstance(found, list):
        return "\n".join(map(words, found))
    return str(found)


@pytest.mark.parametrize("where", OF_ALL | OF_ENDED)
def test_each_status_reads_like_no_other(at_rest: Callable[[str], Approval], where: str) -> None:
    statuses = STATUSES if where in OF_ALL else ENDED
    read = {status: words((OF_ALL | OF_ENDED)[where](at_rest(status))).lower() for status in statuses}
    assert len(set(read.values())) == len(statuses)
    for status, text in read.items():
        for of, said in (
            ("expired", EXPIRED_WORDS),
            ("approved", APPROVED_WORDS),
            ("rejected", REJECTED_WORDS),
        ):
            if status != of:
                assert not [one for one in said if one in text], f"{status} reads as {of}: {text}"
    if where != "card of what was notified":
        assert any(one in read["expired"] for one in EXPIRED_WORDS)
        assert any(one in read["approved"] for one in APPROVED_WORDS)
        assert any(one in read["rejected"] for one in REJECTED_WORDS)


@pytest.mark.parametrize("where", [*(OF_ALL | OF_ENDED), "tally"])
def test_a_status_that_nobody_knows_is_read_as_no_other(
    at_rest: Callable[[str], Approval], where: str
) -> None:
    of_all: dict[str, Look] = OF_ALL | OF_ENDED | {"tally": lambda one: column_of(one.status)}
    if where in ("last page of a review", "told to an admin"):  # they repeat its name
        assert f"is {UNKNOWN}" in words(of_all[where](at_rest(UNKNOWN)))
    else:
        with pytest.raises(AssertionError, match=UNKNOWN):
            of_all[where](at_rest(UNKNOWN))


def test_a_tally_counts_each_status_once() -> None:
    assert [column_of(status) for status in STATUSES] == [
        "waiting", "decided", "decided", "decided", "undecided", "undecided", "decided"
    ]  # fmt: skip


def test_only_what_the_policy_let_through_is_told_to_have_run_unasked(
    at_rest: Callable[[str], Approval],
) -> None:
    for status in STATUSES:
        told = words(card(as_notified(at_rest(status)), now=NOW).blocks)
        assert ("ran without asking" in told) is (status == "approved")


def test_past_its_time_a_request_is_not_yet_told_to_have_expired(
    at_rest: Callable[[str], Approval],
) -> None:
    waits = at_rest("pending")
    overdue, expired = (words(card(one, now=waits.expires_at).blocks) for one in (waits, at_rest("expired")))
    assert "The time ran out" in overdue and "The agent was told so" not in overdue
    assert "Nobody answered" in expired and "The agent was told so" in expired


def test_no_match_over_a_status_has_a_default() -> None:
    found = 0
    for file in Path(signoff.bot.__path__[0]).rglob("*.py"):
        functions = [
            node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)
        ]
        for one, after in (pair for function in functions for pair in pairwise(function.body)):
            if isinstance(one, ast.Match) and "status" in ast.unparse(one.subject):
                found += 1
                assert ast.unparse(after) == f"assert_never({ast.unparse(one.subject)})", file
                assert not any(isinstance(case.pattern, ast.MatchAs) for case in one.cases), (
                    f"{file}: a default"
                )
    assert found == 8
