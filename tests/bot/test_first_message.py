"""The first message of a run's thread, and a card that is a reply."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_message
from signoff.bot.cards.first_message import first_message, tally_message
from signoff.bot.delivery.threads import digest_of
from signoff.models.approval import Approval
from signoff.models.lists import Listed
from signoff.models.threads import Tally, Thread
from signoff.payload import glimpse

THREAD = Thread(1, "run-bot", "nightly", "C1", "1.1", 3, None)
APPROVERS = ("U0ANA", "S0FINANCE")
Make = Callable[..., Approval]


def test_as_it_is_posted_it_mentions_who_may_decide_and_counts_nothing(
    make: Make, seen: Callable[[Any], str], markup: Callable[[Any], str]
) -> None:
    message = first_message(THREAD, APPROVERS, make({"amount": 120, "customer": "cus_42"}))
    assert "<@U0ANA>, <!subteam^S0FINANCE>" in markup(message.blocks)
    assert "“nightly”" in seen(message.blocks) and "wait" not in seen(message.blocks)
    assert message.text == (
        "run-bot begins a run with refund.create: amount “120”, customer “cus_42”\n"
        "Each of its requests stands in this thread."
    )


@pytest.mark.parametrize(
    ("tally", "told"),
    [
        (Tally(1, 0, 0, APPROVERS), "1 request waits · 0 decided"),
        (Tally(1200, 3, 0, APPROVERS), "1,200 requests wait · 3 decided"),
        (Tally(0, 3, 0), "Nothing waits · 3 decided"),
        (Tally(0, 3, 2), "Nothing waits · 3 decided · 2 ended without a decision"),
    ],
)
def test_it_counts_and_mentions_somebody_only_while_something_waits(
    tally: Tally, told: str, markup: Callable[[Any], str]
) -> None:
    message = tally_message(THREAD, tally)
    assert message.text == f"Requests of run-bot, one run: {told}."
    assert told in markup(message.blocks).replace("*", "")
    assert ("<@U0ANA>" in markup(message.blocks)) is bool(tally.waiting)


def test_what_reads_the_same_is_not_edited() -> None:
    one = tally_message(THREAD, Tally(1, 0, 0, APPROVERS))
    assert digest_of(one) == digest_of(tally_message(replace(THREAD, revision=9), Tally(1, 0, 0, APPROVERS)))
    assert digest_of(one) != digest_of(tally_message(THREAD, Tally(0, 1)))


@settings(max_examples=150, deadline=None)
@given(run=st.text(min_size=1, max_size=100))
def test_any_name_of_a_run_makes_a_message_that_slack_takes(make: Make, run: str) -> None:
    thread, asked = replace(THREAD, run=run), make({"amount": 120, "note": run.replace("\0", "")})
    tally = Tally(1, 2, 3, APPROVERS)
    for message in (first_message(thread, APPROVERS, asked), tally_message(thread, tally)):
        assert check_message(message.blocks) == []
    assert first_message(thread, APPROVERS, asked).text == first_message(THREAD, APPROVERS, asked).text
    assert tally_message(thread, tally).text == tally_message(THREAD, tally).text


def test_what_waits_longest_is_named_and_told_apart() -> None:
    items = [
        Listed(
            id=str(uuid.uuid4()), agent="run-bot", action="refund.create", status="pending", version=1,
            revision=1, created_at=1, expires_at=2, ended_at=None,
            glimpse=glimpse.glimpse(None, {"amount": amount}),
        )
        for amount in (12, 120, 12_000)
    ]  # fmt: skip
    message = tally_message(THREAD, Tally(3, 0, 0, APPROVERS), items)
    shown = str(message.blocks)
    assert check_message(message.blocks) == []
    assert message.blocks[0]["text"]["text"] == "Requests of run-bot, one run"
    assert message.text.split("\n") == [
        "run-bot asks for refund.create: amount “12”", "refund.create: amount “120”",
        "refund.create: amount “12000”", "3 requests wait · 0 decided.",
    ]  # fmt: skip
    one = tally_message(replace(THREAD, run=str(uuid.uuid4())), Tally(1, 0, 0, APPROVERS), items[:1])
    assert one.blocks[0]["text"]["text"] == "refund.create: amount “12”"
    assert one.text == "run-bot asks for refund.create: amount “12”\n1 request waits · 0 decided."
    assert "calls this run" not in str(one.blocks) and "Requests of run-bot, one run" in str(one.blocks)
    many = tally_message(THREAD, Tally(4, 0, 0, APPROVERS), items)
    assert many.text == "Requests of run-bot, one run: 4 requests wait · 0 decided."
    for item, amount in zip(items, (12, 120, 12_000), strict=True):
        assert f"amount “{amount}”" in shown and item.code in shown
    assert shown.count("nobody said whether it can be undone") == 3
