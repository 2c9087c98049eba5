"""A batch's card: every payload in full or no *Approve all*, and within Slack's limits whatever is sent."""

from __future__ import annotations

import time
from typing import Any

import pytest
from bot.batch_made import NOW, asked, batch_of, looked_at, read_back, shows
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signoff.approvals.errors import UnknownApproval
from signoff.bot.blocks import check_message
from signoff.bot.cards.batch_after import NAMED
from signoff.bot.cards.batch_card import batch_card, parse_shown, shown_token
from signoff.bot.gallery.approval import BEGAN, SECOND
from signoff.bot.together.review import review_view
from signoff.models.messages import Decision, Outcome
from signoff.models.shown import Shown, digest_of
from signoff.payload.canonical import canonical
from signoff.sandbox.remote import nodes

JSON = dict[str, Any]
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.floats(-2, 2)
    | _TEXTS
    | st.sampled_from(
        [
            "",
            "1",
            "true",
            '"a"',
            "a b",
            "“x”",
            "a\nb",
            " · k v",
            "›",
            "—",
            "[1]",
            "{}",
            "\\u{22}",
            "\u202eabc",
            "אב",
        ]
    )
)
_VALUES = (
    _SCALARS
    | st.lists(_SCALARS, max_size=3)
    | st.lists(st.dictionaries(st.sampled_from("pq"), _SCALARS), max_size=2)
)
_INNER = st.dictionaries(st.sampled_from(["p", "q", "r"]), _VALUES, max_size=3)
_PAYLOADS = st.dictionaries(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "eps"]), _VALUES | _INNER, max_size=5
)
SCRIPTS = {
    "latin": "Grüße", "cyrillic": "Привет", "greek": "Γειά", "arabic": "مرحبا", "hebrew": "שלום",
    "devanagari": "नमस्ते", "thai": "สวัสดี", "han": "你好", "hangul": "안녕", "emoji": "👩‍👩‍👧\ufe0f",
}  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.lists(_PAYLOADS, min_size=1, max_size=6))
@example([{"alpha": "x"}, {"alpha": "x"}, {"alpha": "y"}])
@example([{"alpha": {"p": 1}, "beta": []}, {"alpha": {}, "beta": {"q": "a\nb"}}, {"alpha": "—"}])
def test_where_approve_all_stands_every_payload_stands_on_that_card(payloads: list[JSON]) -> None:
    items = [asked(one) for one in payloads]
    message = batch_card(batch_of(items), now=NOW)
    assert check_message(message.blocks, message.text) == []
    button = shows(message.blocks, "batch_approve")
    if button is None:
        assert shows(message.blocks, "batch_review")
        return
    shown = parse_shown(button["value"])
    assert (shown.batch_id, shown.digest) == (7, digest_of(items))
    assert shown.versions == {number: 1 for number in range(1, len(items) + 1)}
    found = read_back(message.blocks, len(items))
    assert [canonical(one) for one in found] == [canonical(one) for one in payloads]


def test_small_batches_are_approved_on_the_card_with_a_question_that_counts_what_is_final() -> None:
    branches = [{"repo": "acme/shop", "branch": f"feature-{n}"} for n in range(39)]
    safe = {"reversibility": "reversible", "reversibility_from": "policy"}
    items = [asked(one, verdict=safe) for one in branches]
    final = {"reversibility": "irreversible", "reversibility_from": "policy"}
    items.append(asked({"repo": "acme/shop", "branch": "main"}, verdict=final))
    message = batch_card(batch_of(items), now=NOW)
    button = shows(message.blocks, "batch_approve")
    assert button and button["text"]["text"] == "Approve all 40" and "style" not in button
    assert (
        button["confirm"]["style"] == "danger"
        and "1 of them cannot be undone" in button["confirm"]["text"]["text"]
    )
    assert "“main”" in button["confirm"]["text"]["text"]
    first = message.text.split("\n")[0]
    assert first.startswith("ops-bot asks for 40 × branch.delete · until ") and "Clean up" not in first
    table = next(block for block in message.blocks if block["type"] == "table")
    assert len(table["rows"]) == 40 and "main" not in str(table)
    outliers = next(block for block in message.blocks if str(block.get("block_id")).startswith("outliers"))
    assert "cannot be undone" in str(outliers) and "main" in str(outliers)
    green = shows(batch_card(batch_of(items[:39]), now=NOW).blocks, "batch_approve")
    assert green and green["style"] == "primary" and "confirm" in green and "style" not in green["confirm"]


def test_the_agents_title_stands_as_its_own_and_works_as_no_markup() -> None:
    title = "Approved by <@U0ANA> *safe* <!channel> \u202egnp"
    message = batch_card(batch_of([asked({"a": 1}), asked({"a": 2})], title=title), now=NOW)
    head, about = message.blocks[:2]
    assert head["text"]["text"] == "2 × branch.delete"
    called = about["elements"][-1]
    assert called["type"] == "plain_text" and called["text"].startswith("The agent calls it “Approved by")
    assert "\\u{202e}" in called["text"] and "<!channel>" not in message.text


@pytest.mark.parametrize(
    ("script", "count", "size"),
    [
        ("cyrillic", 500, 5_000),
        ("emoji", 500, 5_000),
        *((script, 60, 300) for script in SCRIPTS),
        ("han", 2, 50_000),
    ],
)
def test_a_card_stays_within_slacks_limits_whatever_is_in_it(script: str, count: int, size: int) -> None:
    text = SCRIPTS[script]
    long = (text + " <@U1> *x* `y`\n") * (size // (len(text.encode()) + 16) + 1)
    items = [
        asked({"same": long[: size // 2], "own": f"{n} {long[: size // 2]}", f"only{n}": text})
        for n in range(count)
    ]
    message = batch_card(batch_of(items, title=long[:200]), now=NOW)
    assert check_message(message.blocks, message.text) == []
    assert shows(message.blocks, "batch_approve") is None and shows(message.blocks, "batch_review")


def test_it_costs_what_there_is_of_it() -> None:
    """500 of 5 KB are drawn within seconds, and twice as many cost about twice as much."""

    def seconds(count: int) -> float:
        items = [
            asked({"note": "some words\n" * 300, "n": n, "tags": {f"k{at}": f"{at}-{n}" for at in range(40)}})
            for n in range(count)
        ]
        began = time.process_time()
        message = batch_card(batch_of(items), now=NOW)
        assert check_message(message.blocks, message.text) == []
        return time.process_time() - began

    seconds(10)
    small = seconds(125)
    assert seconds(500) < max(8 * small, 20.0)


def test_what_is_decided_is_counted_truly_and_only_what_waits_is_approved() -> None:
    vote = Decision(vote="approve", approver="U0ANA", name="Ana")
    no = Decision(vote="reject", approver="U0BEN", name="Ben", reason="Still *used* by <@U1>")
    ends = {"ended_at": BEGAN + 30 * SECOND}
    items = [
        *(asked({"b": f"x{n}"}, status="approved", decision=vote, **ends) for n in range(4)),
        *(asked({"b": f"y{n}"}, status="rejected", decision=no, **ends) for n in range(2)),
        asked({"b": "z"}, status="expired", **ends),
        asked({"b": "w"}, status="cancelled", **ends),
        *(asked({"b": f"v{n}"}) for n in range(3)),
    ]
    apart = [asked({"b": "q"}, verdict={"risk": "critical", "risk_from": "policy"})]
    message = batch_card(batch_of(items, apart), now=NOW)
    counts = next(block for block in message.blocks if str(block.get("block_id")).startswith("counts"))
    assert counts["text"]["text"] == "*3 wait · 4 approved · 2 rejected · 1 expired · 1 withdrawn*"
    text = str(message.blocks)
    assert "1–4: approved by <@U0ANA>" in text and "5, 6: rejected by <@U0BEN>" in text
    assert "1 more has a card of its own: critical risk (1)" in text
    button = shows(message.blocks, "batch_approve")
    assert (
        button
        and button["text"]["text"] == "Approve all 3"
        and parse_shown(button["value"]).versions == {9: 1, 10: 1, 11: 1}
    )
    over = batch_card(batch_of(items[:8]), now=NOW)
    assert not [node for node in ("batch_approve", "batch_reject", "batch_each") if shows(over.blocks, node)]
    assert "Still *used* by <@U1>" in str(over.blocks) and check_message(over.blocks, over.text) == []
    late = batch_card(batch_of(items), now=items[-1].expires_at)
    assert "4 expired" in str(late.blocks) and shows(late.blocks, "batch_approve") is None


def test_what_ran_and_what_failed_stand_on_it_in_the_end() -> None:
    vote = Decision(vote="approve", approver="U0ANA", name="Ana")
    outcomes = [Outcome(succeeded=True), Outcome(succeeded=False, note="no such <!here>"), None]
    items = [
        asked({"b": n}, status="approved", decision=vote, ended_at=BEGAN, outcome=one)
        for n, one in enumerate(outcomes)
    ]
    message = batch_card(batch_of(items), now=NOW)
    assert "*Done* 1 · *Failed* 1 · 1 not reported yet" in str(message.blocks)
    assert "no such <!here>" in str(message.blocks) and "<!here>" not in message.text


def test_what_can_mislead_is_named_with_its_numbers() -> None:
    items = [
        asked({"url": "https://apple.com/a"}),
        asked({"url": "https://аpple.com/a"}),
        asked({"url": "https://b.example"}),
    ]
    message = batch_card(batch_of(items), now=NOW)
    warning = next(block for block in message.blocks if str(block.get("block_id")).startswith("warning"))
    assert "2: " in str(warning) and "Cyrillic" in str(warning) and "look alike" in str(warning)


def test_one_that_was_rejected_before_comes_first() -> None:
    from signoff.models.approval import Rejection

    items = [asked({"b": n}) for n in range(3)] + [asked({"b": 9}, rejected=Rejection("x", "U0BEN", BEGAN))]
    message = batch_card(batch_of(items), now=NOW)
    outliers = next(block for block in message.blocks if str(block.get("block_id")).startswith("outliers"))
    assert "somebody has rejected the same before" in str(outliers)


@pytest.mark.parametrize(
    "value", ["", "7", "7:1-2.1", "x:1-2.1:d", "7:1-99999999.1:d", "7:a:d", "7:1.1:d", "7:1-2.1:d:e"]
)
def test_a_value_that_is_none_of_ours_is_refused(value: str) -> None:
    with pytest.raises(UnknownApproval):
        parse_shown(value)


def test_what_a_card_showed_is_kept_in_few_characters() -> None:
    shown = [(number, 1) for number in range(1, 100) if number != 50] + [(120, 2)]
    assert shown_token(7, shown, "d0") == "7:1-49.1,51-99.1,120-120.2:d0"
    assert parse_shown(shown_token(7, shown, "d0")) == Shown(7, dict(shown), "d0")


@pytest.mark.parametrize(
    ("apart", "between"), [(SECOND // 7, False), (59 * SECOND, False), (60 * SECOND, True)]
)
def test_ends_are_told_apart_where_people_would(apart: int, between: bool) -> None:
    first = asked({"b": 1})
    items = [first, asked({"b": 2}, expires_at=first.expires_at + apart)]
    for shown in (batch_card(batch_of(items), now=NOW).blocks, review_view(looked_at(items))["blocks"]):
        assert ("expires between" in str(shown)) is between and ("· until " in str(shown)) is not between


@pytest.mark.parametrize("left", [0, 1, 40])
def test_what_was_decided_keeps_the_values_that_its_numbers_stand_for(left: int) -> None:
    vote = {
        "status": "approved",
        "decision": Decision(vote="approve", approver="U0ANA", name="Ana"),
        "ended_at": BEGAN,
    }
    payloads = [
        {"repo": "acme", "branch": f"feature-{n}", "note": "words\n" * 200 if n else "<!here> *x* " * 60}
        for n in range(43)
    ]
    items = [asked(one, **(vote if n < 43 - left else {})) for n, one in enumerate(payloads)]
    message = batch_card(batch_of(items), now=NOW)
    assert check_message(message.blocks, message.text) == []
    kept = [block for block in message.blocks if str(block.get("block_id")).startswith("ended")]
    done = min(43 - left, NAMED)
    assert all(f" feature-{n}" in str(kept) for n in range(done)) and f"feature-{done} " not in str(kept)
    assert ("more request" in str(kept)) is (43 - left > NAMED) and "acme" not in str(kept)
    assert shows(message.blocks, "batch_look") or "'batch_look:7'" in str(message.blocks)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("left", [0, 250])
def test_a_card_of_many_decided_stays_within_slacks_limits(script: str, left: int) -> None:
    text = SCRIPTS[script] * 12
    vote = {
        "status": "rejected",
        "decision": Decision(vote="reject", approver="U0ANA", name="Ana", reason=text * 9),
    }
    items = [
        asked({f"{text[:30]}{k}": f"{n} {text}" for k in range(9)}, **(vote if n >= left else {}))
        for n in range(280)
    ]
    message = batch_card(batch_of(items, title=text), now=NOW)
    assert check_message(message.blocks, message.text) == []
    long = [asked({"body": f"{n}\n{text}" * 30}, **vote) for n in range(3)]
    assert " “2” …" in str(batch_card(batch_of(long), now=NOW).blocks)


def test_approve_all_stands_where_the_reasons_of_all_stand_whole_or_are_the_same() -> None:
    def first(*reasons: str) -> str:
        items = [asked({"b": n}, reason=one) for n, one in enumerate(reasons)]
        message = batch_card(batch_of(items), now=NOW)
        assert check_message(message.blocks, message.text) == []
        if shows(message.blocks, "batch_approve"):
            texts = [node.get("text") for node in nodes(message.blocks)]
            shown = "".join(text for text in texts if isinstance(text, str))
            assert all((one or "ops-bot gave no reason.") in shown for one in reasons)
            return "approve"
        return "review"

    assert first("old", "old") == first("old", "", "sends *all* <@U1>\nmoney") == "approve"
    assert first("old", "older " * 300) == first(*(f"it is {n} days old" for n in range(90))) == "review"


@pytest.mark.parametrize("one, other", [(1, "1"), (True, "true"), (None, "null"), ([1], ["1"])])
def test_the_question_of_approve_all_tells_values_of_other_types_apart(one: Any, other: Any) -> None:
    message = batch_card(batch_of([asked({"n": one, "b": 2}), asked({"n": other, "b": 2})]), now=NOW)
    button = shows(message.blocks, "batch_approve")
    assert button
    first, second = button["confirm"]["text"]["text"].split("\n")[1:]
    assert first != second and '"b"' not in first + second
