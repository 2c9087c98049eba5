"""What `signoff policy replay` says of batches, hourly limits, undoing and talks; without a database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from policy.policies import policy
from support import a_request

from signoff.approvals import sharing
from signoff.models.feedback import is_sampled
from signoff.models.history import Past
from signoff.policy import placements
from signoff.policy.evaluate import evaluate
from signoff.policy.placements import Placements
from signoff.policy.replay import Report, replay

MINUTE = 60_000_000
BATCH = "ab" * 16


def past(
    number: int, minute: float = 0, *, effect: str = "ask", status: str = "approved", **fields: Any
) -> Past:
    request = a_request(**{"payload": {"n": number}, "reversibility": "reversible", **fields})
    at = int(minute * MINUTE)
    return Past(
        str(request.id), "billing-bot", request.action, effect, status, request, at, request.batch is not None
    )


def replayed(text: str, *came: Past) -> Report:
    return replay(policy(f"extends: none\n{text}"), came)


RULES = """\
groups: {finance: {users: [U0FINANCE]}}
reversibility: {refund.create: reversible, other.one: reversible}
batch: {most: 3, of: ["ticket.*", "refund.*"]}
rules:
  - {name: refunds, match: {action: refund.*}, verdict: ask, approvers: [finance]}
  - {name: free, match: {action: files.read}, verdict: allow}
"""


def test_a_replay_says_what_would_share_a_card_and_why_the_rest_would_not() -> None:
    tickets = [past(n, batch=BATCH, action="ticket.tidy") for n in range(5)]
    others = [
        past(5, batch=BATCH, action="refund.create"),
        past(6, batch=BATCH, action="ticket.tidy", reversibility="irreversible"),
        past(7, batch=BATCH, action="other.one"),
        past(8, batch=BATCH, action="ticket.tidy", risk="critical"),
        past(9, batch=BATCH, action="files.read", effect="allow"),
    ]
    lonely = past(10, batch="cd" * 16, action="ticket.tidy")
    report = replayed(RULES, *tickets, *others, lonely, past(11, action="ticket.tidy"))
    assert (report.batches.batches, report.batches.shared, report.shared_then) == (2, 3, 11)
    assert {why: count for why, count in report.batches.alone.items() if count} == {
        placements.OVER: 2, placements.OTHERS: 1, "it cannot be undone": 1, "batch.of does not list it": 1,
        "its risk is critical": 1, placements.NOT_ASKED: 1, placements.ONLY_ONE: 1,
    }  # fmt: skip


@dataclass
class Row:
    """As `batch_rows.waiting` gives one."""

    id: str
    kind: str
    action: str
    verdict: str


@pytest.mark.parametrize("most", [1, 2, 3, 50])
def test_a_replay_places_what_waits_as_freezing_does(most: int) -> None:
    """The one writer's own words decide which is right."""
    found = policy(f"extends: none\n{RULES.replace('most: 3', f'most: {most}')}")
    actions = [
        "ticket.tidy",
        "refund.create",
        "ticket.tidy",
        "refund.create",
        "other.one",
        "refund.create",
    ] * 2
    for length in range(1, len(actions) + 1):
        rows, counted = list[Row](), Placements(found.batch)
        for number, action in enumerate(actions[:length]):
            reversibility: Any = "irreversible" if number % 5 == 4 else "reversible"
            request = a_request(
                action=action, payload={"n": number}, reversibility=reversibility, batch=BATCH
            )
            verdict = evaluate(request, "billing-bot", found)
            rows.append(Row(str(request.id), request.kind, action, verdict.model_dump_json()))
            counted.add(("billing-bot", BATCH), action, verdict, verdict.effect == "ask", False)
        counted.close()
        stays, _ = sharing.staying(found, rows, {row.id: n for n, row in enumerate(rows)})
        stays = stays if len(stays) > 1 else []  # what is alone is shown as what is alone
        assert counted.shared == len(stays) and counted.alone.total() == length - len(stays)


def test_of_a_batch_three_outcomes_are_asked_about_and_of_the_rest_the_whole_share() -> None:
    text = RULES.replace("most: 3", "most: 50") + "feedback: 50%\n"
    together = [past(n, batch=BATCH, action="ticket.tidy") for n in range(30)]
    apart = [past(100 + n, action="ticket.tidy") for n in range(30)]
    outside = [past(200 + n, batch=BATCH, action="other.one") for n in range(30)]
    picked = [[is_sampled(one.id, 5000) for one in some].count(True) for some in (together, apart, outside)]
    assert min(picked) > 3
    assert replayed(text, *together).asked_about == 3
    assert replayed(text, *together, *apart, *outside).asked_about == 3 + picked[1] + picked[2]


def test_what_is_over_an_hourly_limit_is_refused_and_counts_for_nothing() -> None:
    question: dict[str, Any] = {"kind": "question", "action": "question"}

    def asked(*minutes: float) -> Iterator[Past]:
        for number, minute in enumerate(minutes):
            payload = {"question": f"Which of {number}?", "free_text": True}
            yield past(number, minute, status="answered", payload=payload, **question)

    limited = "questions: {per_hour: 2}\nagents: {billing-bot: {limits: {per_hour: 1}}}\n"
    report = replayed(limited, *asked(0, 10, 20, 60, 61, 71))
    assert dict(report.now) == {"ask": 4, "refused": 2}, (
        "an hour slides: those of minute 0 and 10 are over by 60 and 70"
    )
    assert [(kind.why, one.count) for kind, one in report.changes.items()] == [
        ("billing-bot may ask questions 2 times in any hour", 2)
    ]
    report = replayed(limited, *asked(0), *(past(n, n, action="ticket.tidy") for n in range(2)))
    assert dict(report.now) == {"ask": 2, "refused": 1}, "questions and approvals count apart"
    assert dict(replayed("", *asked(*range(50))).now) == {"ask": 50}


def test_what_could_be_undone_or_would_have_had_more_time_is_counted() -> None:
    report = replayed(
        "rules:\n"
        "  - {name: a, match: {action: refund.create}, verdict: notify, undo_for: 1h, approvers: [U0ANA],\n"
        "     undo: {action: refund.cancel, payload: {id: $result.id}}}\n"
        "  - {name: b, match: {action: ticket.*}, verdict: ask, talk: +10m}\n"
        "  - {name: c, match: {action: files.close}, verdict: allow, after: 2m}\n"
        "risk: {files.close: low, refund.*: low}\nreversibility: {files.close: reversible}\n",
        *(past(n, action=action) for n, action in enumerate(["refund.create"] * 3 + ["ticket.tidy"] * 2)),
        past(9, action="files.close"),
    )
    assert (report.undoable, report.more_time) == (3, 2)
    assert dict(report.now) == {"notify": 3, "ask": 2, "allow after": 1}
