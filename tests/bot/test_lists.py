"""Lists as blocks: what is on them, what never is, and buttons that carry all a page needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.approvals.lists import Overview, Page
from signoff.bot.blocks import check_message, check_view
from signoff.bot.cards.lists import home_view, list_blocks, list_view, read_page
from signoff.bot.cards.record import record_blocks, record_view
from signoff.bot.text.words import lists as lists_words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.identity import new_id
from signoff.models.lists import Listed
from signoff.models.messages import Decision, moment

Make = Callable[..., Approval]
BEGAN = 1_795_000_000_000_000
NOW = BEGAN + 35 * 60 * 1_000_000
LINK = "https://acme.slack.com/archives/C0/p12"


def line(**fields: Any) -> Listed:
    """One that waits, but for what is given."""
    base = Listed(
        id=str(new_id()), agent="billing-bot", action="refund.create", status="pending", version=1,
        revision=1, created_at=BEGAN, expires_at=BEGAN + 3_600_000_000, ended_at=None, named=("U0ANA",),
        permalink=LINK,
    )  # fmt: skip
    return replace(base, **fields)


def decided(**fields: Any) -> Listed:
    return line(
        **{
            "status": "approved", "vote": "approve", "approver": "U0ANA", "ended_at": BEGAN + 9_000_000,
            "decided_at": BEGAN + 9_000_000, "revision": 2, **fields,
        }
    )  # fmt: skip


def pending(*items: Listed, **fields: Any) -> Page:
    return Page("pending", items, reviewable=frozenset(one.id for one in items), **fields)


def accessories(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [block["accessory"] for block in blocks if "accessory" in block]


def test_what_waits_has_a_review_each_and_never_an_approve(seen: Any) -> None:
    bad = line(permalink="https://acme.slack.com/|<!channel>")
    items = [bad, *(line() for _ in range(9))]
    blocks = list_blocks(pending(*items, page=2, pages=3, total=25, more=True), NOW)
    assert check_message(blocks) == []
    assert [b["text"]["text"] for b in accessories(blocks)] == ["Review…"] * 10
    assert accessories(blocks)[3]["value"] == f"{items[3].id}:1"
    assert [e["action_id"] for e in blocks[-1]["elements"]] == ["list_back", "list_next"]
    assert "25 requests wait for you, oldest first · page 2 of 3" in seen(blocks)
    assert seen(blocks).count("|open the card>") == 9
    assert "Approve" not in seen(blocks) and "channel" not in seen(blocks)


def test_what_is_decided_or_not_for_the_reader_has_details(seen: Any) -> None:
    items = [
        decided(), decided(vote="reject", status="rejected"),
        decided(vote="reject", status="rejected", resubmit=True), decided(vote=None, status="expired"),
        decided(vote=None, status="cancelled"), decided(vote=None, status="blocked"),
        decided(vote=None), line(),
    ]  # fmt: skip
    blocks = list_blocks(Page("history", tuple(items)), NOW)
    assert check_message(blocks) == []
    assert {(b["action_id"], b["text"]["text"]) for b in accessories(blocks)} == {("details", "Details…")}
    for word in (
        "*Approved* by <@U0ANA>", "*Rejected* by", "*Sent back* by", "*Nobody answered*",
        "*Withdrawn by the agent*", "*Blocked by policy*", "*Approved by policy*",
        "asks · *nobody said whether it can be undone* · expires in 25 minutes (<!date^1795003600^",
    ):  # fmt: skip
        assert word in seen(blocks)
    assert "<@U0ANA>" not in seen(list_blocks(Page("mine", (decided(),)), NOW))


def test_of_what_nobody_was_asked_about_a_list_says_what_of_the_policy_decided(
    seen: Any, markup: Any
) -> None:
    hostile = "the rule “*all* <!channel> \u202e”"
    undecided = {"vote": None, "approver": ""}
    items = [
        decided(**undecided, status="blocked", why="the rule “admins”", rule_says="People make admins."),
        decided(**undecided, status="approved", why="autonomy is guided: low risk, reversible"),
        decided(**undecided, status="blocked", why=hostile, rule_says="x" * 3000),
    ]
    blocks = list_blocks(Page("history", tuple(items)), NOW)
    assert check_message(blocks) == []
    assert "Policy: the rule “admins”. People make admins." in seen(blocks)
    assert "Policy: autonomy is guided: low risk, reversible." in seen(blocks)
    assert r"<!channel> \u{202e}" in seen(blocks) and "channel>" not in markup(blocks)
    asked = [decided(why="the rule “refunds”"), line(why="the rule “refunds”")]
    asked.append(decided(**undecided, status="expired", why="the rule “refunds”"))
    assert "the rule" not in seen(list_blocks(Page("history", tuple(asked)), NOW))


@pytest.mark.parametrize("kind", ["pending", "mine", "history"])
@pytest.mark.parametrize("about", ["", "billing-bot"])
def test_an_empty_list_says_so(kind: Any, about: str, seen: Any) -> None:
    view = list_view(Page(kind, about=about), NOW)
    assert check_view(view) == [] and "submit" not in view
    assert seen(view["blocks"]) == lists_words.nothing(kind, about)


def test_the_home_has_what_waits_first_then_what_was_decided_then_what_is_owned(seen: Any) -> None:
    both = decided()
    ten = [line() for _ in range(10)]
    owned = Page("owned", (both, line()), more=True)
    view = home_view(Overview(pending(*ten, total=31, more=True), Page("mine", (both,)), owned))
    assert check_view(view) == []
    titles = [block["text"]["text"] for block in view["blocks"] if block["type"] == "header"]
    assert titles == ["Waiting for you", "Decided by you", "Asked by your agents"]
    assert "21 more wait for you." in seen(view) and "Approve" not in titles
    every = [e for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert [(e["action_id"], e["value"]) for e in every] == [
        ("list_all", "pending:1:"), ("list_all", "history:1:")
    ]  # fmt: skip


def test_a_home_with_nothing_is_valid_and_full_ones_are_too(seen: Any) -> None:
    empty = home_view(Overview(Page("pending"), Page("mine"), Page("owned")))
    assert check_view(empty) == [] and "Nothing waits for you." in seen(empty)
    ten = tuple(line() for _ in range(10))
    full = Overview(
        pending(*ten, total=99, more=True), Page("mine", ten, more=True), Page("owned", ten, more=True)
    )
    assert check_view(home_view(full)) == []
    assert home_view(full) == home_view(full)


@given(st.text() | st.from_regex(r"(pending|mine|history|owned|x):-?[0-9]{0,7}:[ -~]{0,9}", fullmatch=True))
@settings(max_examples=300)
def test_any_value_of_a_turning_button_names_a_page(value: str) -> None:
    kind, page, about = read_page(value)
    assert kind in ("pending", "mine", "history", "owned") and 1 <= page <= 100
    assert "<" not in about and " " not in about


def test_what_a_turning_button_carries_is_read_back() -> None:
    page = Page("history", (decided(),), page=3, more=True, about="refund.create")
    back, on = list_blocks(page, NOW)[-1]["elements"]
    assert read_page(back["value"]) == ("history", 2, "refund.create")
    assert read_page(on["value"]) == ("history", 4, "refund.create")


def test_a_request_that_is_looked_up_has_no_approve(make: Make, seen: Any, walk: Any) -> None:
    waits = make({"amount": 120}, reason="Because")
    now = waits.created_at + 1
    for may, action_id in ((True, "review"), (False, "details")):
        blocks = record_blocks(waits, may_decide=may, now=now)
        assert check_message(blocks) == []
        assert [n["action_id"] for n in walk(blocks) if n.get("type") == "button"] == [action_id]
    late = record_blocks(waits, may_decide=True, now=waits.expires_at)
    assert [n["action_id"] for n in walk(late) if n.get("type") == "button"] == ["details"]
    assert "120" in seen(blocks) and "Because" in seen(blocks)


def test_the_details_of_a_decided_request_show_its_state_payload_and_ids(make: Make, seen: Any) -> None:
    at = BEGAN + 9_000_000
    decision = Decision(vote="reject", approver="U0ANA", name="ana", reason="Not so", at=moment(at))
    long = {f"field{n}": "x" * 400 for n in range(200)}
    for payload in ({"amount": 120}, long, {}):
        said: dict[str, Any] = {"alternatives": ["y" * 400] * 10, "undo": "z"}
        approval = make(payload, status="rejected", ended_at=at, decision=decision, **said)
        view = record_view(approval, NOW)
        assert check_view(view) == [] and "submit" not in view
        text = seen(view)
        assert "*Rejected* by <@U0ANA>" in text and "Not so" in text and approval.id in text
        assert "Approve" not in text
    assert "120" in seen(record_view(make({"amount": 120}), NOW))


@given(st.dictionaries(st.text(max_size=300), st.text(max_size=3000), max_size=30), st.text(max_size=3000))
@settings(max_examples=30, deadline=None)
def test_any_request_can_be_looked_up(make: Make, payload: dict[str, str], said: str) -> None:
    try:
        approval = make(payload, reason=said)
    except (ValueError, Invalid):
        return
    assert check_view(record_view(approval, NOW)) == []
    assert check_message(record_blocks(approval, may_decide=True, now=approval.created_at)) == []
