"""What a reviewer reads on a card, and that it hides and claims nothing."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.approvals.errors import UnknownApproval
from signoff.bot.blocks import MESSAGE_TOTAL, check_message, check_view, total_length
from signoff.bot.cards.card import card, parse_token, token
from signoff.bot.forms.modals import details_view
from signoff.bot.text.fold import shown_whole
from signoff.bot.text.history import history
from signoff.bot.text.quotes import FSI, PDI
from signoff.bot.text.text import hides, visible
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval, Card
from signoff.models.messages import Decision, Outcome

Make = Callable[..., Approval]
BEGAN = 1_795_000_000_000_000
HOSTILE = (
    "<!channel> <@U0EVIL> *bold* `code` <https://evil.example|x> @here :tada: \u202e\u2066hidden\u200b~_&"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
LEAF = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT | st.just(HOSTILE)
VALUE = st.recursive(
    LEAF, lambda v: st.lists(v, max_size=6) | st.dictionaries(TEXT, v, max_size=6), max_leaves=25
)
PAYLOAD = st.dictionaries(TEXT, VALUE, max_size=12)
STATUS = st.sampled_from(["pending", "approved", "rejected", "expired", "cancelled", "blocked"])


def decision(vote: str = "approve", **fields: Any) -> Decision:
    at = datetime.fromtimestamp(BEGAN / 1e6 + 38, UTC)
    return Decision(vote=vote, approver="U0ANA", name="Ana", at=at, **fields)  # type: ignore[arg-type]


def buttons(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = [e for block in blocks if block["type"] == "actions" for e in block["elements"]]
    return {element["action_id"]: element for element in found}


def test_a_pending_card_reads_in_the_order_in_which_people_decide(make: Make, seen: Any) -> None:
    schema = {"type": "object", "properties": {"customer": {}, "amount": {}, "shipping": {}, "lines": {}}}
    payload = {"amount": 120, "lines": ["a", "b"], "customer": "cus_42", "shipping": {"city": "Berlin"}}
    asked = make(payload, schema=schema, reason="Duplicate charge", impact="one customer", title="Refund")
    drawn = card(asked)
    text = seen(drawn.blocks)
    order = [
        "refund.create",
        "billing-bot asks <@U0ANA>, <!subteam^S0FINANCE> · until <!date^1795003600^",
        "customer  cus_42",
        "amount  120",
        "shipping › city  Berlin",
        "Nobody said whether it can be undone",
        "risk not rated",
        "The agent says",
        "Refund",
        "Duplicate charge",
        "Touches: one customer",
        "Approve",
        "Reject…",
        "Edit…",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert drawn.metadata == {
        "event_type": "signoff_approval",
        "event_payload": {"approval_id": asked.id, "version": 1},
    }
    assert list(buttons(drawn.blocks)) == ["approve", "reject", "edit", "more"]
    assert parse_token(buttons(drawn.blocks)["approve"]["value"]) == (asked.id, 1)


def test_the_notification_says_who_what_and_until_when_in_its_first_line(make: Make) -> None:
    asked = make({"amount": 120}, reason=HOSTILE, title=HOSTILE)
    first = card(asked).text.splitlines()[0]
    assert first.startswith("refund.create: amount “120” · billing-bot asks · until <!date^1795003600^")
    posted = card(asked, now=BEGAN + 35 * 60 * 1_000_000)
    in_words = "refund.create: amount “120” · billing-bot asks · expires in 25 minutes (<!date^1795003600^"
    assert posted.text.startswith(in_words)
    assert "expires in" not in str(posted.blocks), "a card stands for hours"


@given(st.integers(0, 40 * 86_400))
def test_the_time_left_is_within_a_rounding_of_the_truth(seconds: int) -> None:
    count, unit = card_words.remaining(seconds * 1_000_000).split()
    size = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}[unit.rstrip("s")]
    assert abs(int(count) * size - seconds) <= size / 2
    assert unit.endswith("s") == (int(count) != 1)


def test_an_action_that_looks_like_a_link_or_a_mention_stands_as_code_in_mrkdwn(make: Make) -> None:
    for action in ("http://evil.example/x", "a@here", "x:tada:", "_x_"):
        drawn = card(make({}, action=action, status="blocked"))
        assert f"`{action}`" in drawn.text
        assert drawn.blocks[0]["text"] == {"type": "plain_text", "text": action, "emoji": False}


def test_reversible_is_green_and_runs_at_once(make: Make) -> None:
    approve = buttons(card(make({"a": 1}, reversibility="reversible")).blocks)["approve"]
    assert approve["style"] == "primary" and "confirm" not in approve


@pytest.mark.parametrize("said", ["costly", "irreversible", None])
def test_what_cannot_simply_be_undone_has_no_colour_and_asks_repeating_what(make: Make, said: Any) -> None:
    payload = {"amount": 120, "customer": "cus_42", "memo": "x" * 500}
    approve = buttons(card(make(payload, reversibility=said)).blocks)["approve"]
    assert "style" not in approve
    asked = "Run refund.create with this?\namount “120”\ncustomer “cus_42”\nmemo “xxx"
    assert asked in approve["confirm"]["text"]["text"]
    assert approve["confirm"]["style"] == "danger"
    assert len(approve["confirm"]["text"]["text"]) <= 300


def test_a_policys_headline_is_the_header_and_the_action_stands_below(make: Make, seen: Any) -> None:
    drawn = card(make({"amount": 1}, verdict={"headline": "Refund 1 EUR\u202e"}))
    assert drawn.blocks[0]["text"]["text"] == "Refund 1 EUR\\u{202e}"
    assert drawn.blocks[1]["elements"][0]["text"] == "refund.create"


def test_the_verdict_says_whose_word_it_is(make: Make, seen: Any) -> None:
    assert "Can be undone (the agent says so)" in seen(card(make({}, reversibility="reversible")).blocks)
    sure = {"reversibility": "irreversible", "reversibility_from": "policy", "risk_from": "policy"}
    assert "*Cannot be undone* · high risk" in seen(card(make({}, verdict=sure)).blocks)


def test_the_header_is_the_same_in_every_state(make: Make) -> None:
    states = ["pending", "approved", "rejected", "expired", "cancelled", "blocked"]
    headers = [card(make({"a": 1}, status=status)).blocks[0] for status in states]
    assert all(header == headers[0] for header in headers)


def test_a_long_payload_is_folded_and_review_stands_where_approve_stood(make: Make, seen: Any) -> None:
    drawn = card(make({"sql": "\n".join(f"line {n};" for n in range(60))}))
    found = buttons(drawn.blocks)
    assert list(found) == ["review", "reject", "edit", "more"]
    assert [o["value"].split(":")[0] for o in found["more"]["options"]] == ["ask", "hand", "details", "stop"]
    again = buttons(card(make({"sql": "x"}, alike=12)).blocks)["more"]["options"]
    assert [o["text"]["text"] for o in again[-3:]] == [
        "Review these 12 together…", "Details…", "Stop billing-bot…",
    ]  # fmt: skip
    assert "line 3;" in seen(drawn.blocks)
    assert "Review… shows everything." in seen(drawn.blocks)


def test_claims_are_cut_without_taking_approve_away(make: Make, seen: Any) -> None:
    drawn = card(make({"a": 1}, reason="why " * 900, alternatives=("x" * 3999,) * 10))
    assert "approve" in buttons(drawn.blocks)
    assert "… more in Details…" in seen(drawn.blocks)


def test_for_whom_it_is_asked_stands_with_what_the_agent_says(make: Make, seen: Any) -> None:
    text = seen(card(make({"a": 1}, requested_by="Ana Lee")).blocks)
    assert text.index("The agent says") < text.index("For: Ana Lee")


def test_bytes_are_shown_as_type_size_and_digest(make: Make, seen: Any) -> None:
    schema = {"type": "object", "properties": {"file": {"type": "string", "contentEncoding": "base64"}}}
    drawn = card(make({"file": base64.b64encode(b"%PDF-1.7\n1 0 ob").decode()}, schema=schema))
    assert "PDF, 15 bytes, sha " in seen(drawn.blocks)
    assert "approve" in buttons(drawn.blocks)


def test_a_schema_cannot_hide_a_text_by_calling_it_bytes(make: Make, seen: Any) -> None:
    schema = {"type": "object", "properties": {"cmd": {"type": "string", "contentEncoding": "base64"}}}
    short = card(make({"cmd": "deleteEverything"}, schema=schema))
    assert "deleteEverything" in seen(short.blocks)
    long = card(make({"cmd": "deleteEverything" * 20}, schema=schema))
    assert "review" in buttons(long.blocks) and "approve" not in buttons(long.blocks)


def test_a_text_cannot_pass_for_a_number_a_list_or_another_field(make: Make, seen: Any) -> None:
    text = seen(card(make({"a": "120", "b": "[]", "c": "", "d": "null", "e › f": 1, "g": '"x"'})).blocks)
    for part in ('a  "120"', 'b  "[]"', 'c  ""', 'd  "null"', "e \\u{203a} f  1", 'g  "\\"x\\""'):
        assert part in text


def test_misleading_text_is_announced_above_the_buttons(make: Make) -> None:
    for payload, says in (
        (
            {"a": "x\u202ey"},
            r"a holds a character that changes direction (right-to-left override): shown as \u{202e}.",
        ),
        ({"x\u200b": 1}, r"A name in the payload holds a character that cannot be seen (zero width space)"),
        ({"a": [{"b": "\x07"}]}, r"a › b holds a character that cannot be seen: shown as \u{7}."),
        ({"to": "pаypal"}, "`pаypal` in to: its second letter is Cyrillic."),
    ):
        assert says in card(make(payload)).blocks[-2]["elements"][0]["text"]
    assert "warning" not in str(card(make({"a": "x"})).blocks)
    assert r"shown as \\u{202e}" in str(card(make({"a": "x"}, context={"y": "\u202e"})).blocks)


def test_editing_is_offered_only_where_something_may_be_edited(make: Make) -> None:
    assert "edit" in buttons(card(make({"a": 1, "b": 2}, editable=("b",))).blocks)
    for editable in (False, (), ("other",)):
        assert "edit" not in buttons(card(make({"a": 1}, editable=editable)).blocks)
    assert "edit" not in buttons(card(make({"a": "x" * 80_000})).blocks)


def test_an_approved_card_says_who_when_what_changed_and_why(make: Make, seen: Any) -> None:
    at = BEGAN + 39_000_000
    note = decision(reason="as agreed by phone")
    done = make({"amount": 120}, status="approved", payload_now={"amount": 80}, decision=note, ended_at=at)
    drawn = card(done)
    text = seen(drawn.blocks)
    assert "*Approved* by <@U0ANA> · <!date^1795000038^" in text and ", after 37 s" in text
    assert (
        "amount  120 → 80" in text and "Note: as agreed by phone" in text and "has not reported yet" in text
    )
    assert not buttons(drawn.blocks)
    assert "Approved" in drawn.text and "as agreed" not in drawn.text


def test_a_failure_mentions_who_approved_and_success_does_not(make: Make, seen: Any) -> None:
    fields = {
        "status": "approved",
        "decision": decision(),
        "ended_at": BEGAN,
        "outcome_at": BEGAN + 60_000_000,
    }
    failed = seen(card(make({}, outcome=Outcome(succeeded=False, note="card was closed"), **fields)).blocks)
    assert "*Failed* · <!date^1795000060^" in failed and failed.count("<@U0ANA>") == 2
    assert "card was closed" in failed and "not reported" not in failed
    done = seen(card(make({}, outcome=Outcome(succeeded=True, note="re_991"), **fields)).blocks)
    assert "*Done* · " in done and "re_991" in done and done.count("<@U0ANA>") == 1


def test_each_end_has_its_own_words(make: Make, seen: Any) -> None:
    def shown(status: str, **fields: Any) -> str:
        drawn = card(make({"a": 1}, status=status, ended_at=BEGAN, **fields))
        assert not buttons(drawn.blocks)
        return str(seen(drawn.blocks))

    rejected = shown("rejected", decision=decision("reject", reason="Wrong customer"))
    assert "*Rejected* by <@U0ANA>" in rejected and "Wrong customer" in rejected
    assert "*Sent back* by" in shown("rejected", decision=decision("reject", reason="x", resubmit=True))
    expired = shown("expired")
    assert "Nobody answered by" in expired and "Nothing ran." in expired and "ejected" not in expired
    withdrawn = shown("cancelled", reason="no longer needed")
    assert "Withdrawn by the agent" in withdrawn and "no longer needed" in withdrawn
    assert "*Blocked by policy:* refund.create" in shown("blocked")


def test_an_approver_without_a_slack_id_is_named_as_plain_text(make: Make, seen: Any, markup: Any) -> None:
    other = decision().model_copy(update={"approver": "cli:<!channel>", "name": "<!channel> Ana"})
    drawn = card(make({}, status="approved", decision=other, ended_at=BEGAN))
    assert "<!channel> Ana" in seen(drawn.blocks)
    assert "channel" not in markup(drawn.blocks) + drawn.text


def test_past_its_time_a_card_has_no_buttons_even_before_the_expiry_is_recorded(make: Make) -> None:
    asked = make({"a": 1})
    assert buttons(card(asked, now=asked.expires_at - 1).blocks)
    assert not buttons(card(asked, now=asked.expires_at).blocks)


def test_block_ids_change_with_the_revision(make: Make) -> None:
    def ids(revision: int) -> set[str]:
        return {b["block_id"] for b in card(make({"a": 1}, revision=revision)).blocks if "block_id" in b}

    assert not ids(1) & ids(2)


def test_details_tell_what_happened_in_order(make: Make) -> None:
    done = make(
        {"amount": 120},
        status="approved",
        payload_now={"amount": 80},
        decision=decision(reason=HOSTILE),
        ended_at=BEGAN + 38_000_000,
        outcome=Outcome(succeeded=True, note=HOSTILE),
        outcome_at=BEGAN + 50_000_000,
        card=Card(1, "C0APPROVALS", "1.2"),
    )
    lines = history(done)
    assert [word in line for word, line in zip(
        [
            "Received from billing-bot", "Shown on a card", "Edited by <@U0ANA>: 1 value", "*Approved* by",
            "*Done*",
        ],
        lines,
        strict=True,
    )] == [True] * 5  # fmt: skip
    (block,) = [block for block in details_view(done)["blocks"] if block.get("block_id") == "history"]
    assert block["text"]["text"].splitlines() == lines and "evil" not in block["text"]["text"].lower()
    assert check_view(details_view(done)) == []


def test_a_value_that_is_no_token_is_refused(make: Make) -> None:
    asked = make({})
    assert parse_token(token(asked)) == (asked.id, 1)
    for value in ("", "x", ":1", "x:", "x:one", "x:²", "x:99999999999"):
        with pytest.raises(UnknownApproval):
            parse_token(value)


@settings(max_examples=150, deadline=None)
@given(
    payload=PAYLOAD,
    status=STATUS,
    prose=TEXT,
    context=st.dictionaries(TEXT, LEAF, max_size=3),
    data=st.data(),
)
def test_slack_takes_every_card_and_reads_no_markup_in_what_others_wrote(
    make: Make, markup: Any, walk: Any, payload: Any, status: str, prose: str, context: Any, data: Any
) -> None:
    said = data.draw(st.sampled_from(["", HOSTILE, HOSTILE * 30, prose]))
    decided = decision("reject" if status == "rejected" else "approve", reason=said)
    fields: dict[str, Any] = {"status": status}
    if status in ("approved", "rejected"):
        fields |= {"decision": decided, "ended_at": BEGAN, "outcome": Outcome(succeeded=False, note=said)}
    if status == "approved":
        fields["payload_now"] = data.draw(PAYLOAD)
    request = {
        "impact": prose,
        "undo": said,
        "title": said[:150],
        "alternatives": (said, prose),
        "context": context,
    }
    drawn = card(make(payload, **request, **fields))
    assert check_message(drawn.blocks, drawn.text, drawn.metadata) == []
    assert total_length(drawn.blocks) <= MESSAGE_TOTAL
    trusted = markup(drawn.blocks)
    works = re.sub(r"<(!date\^[0-9]+\^[^|<>]*\|[^|<>]*|@U0ANA|!subteam\^S0FINANCE)>", "", drawn.text)
    assert not re.search(r"[<>*~`]|&(?!(amp|lt|gt);)|:[a-z0-9_+'-]+:", works), drawn.text
    plain = re.sub("(?m)(^|: )\ufeff", r"\1", drawn.text)  # what a text begins with misleads nobody
    assert not hides(plain.replace(FSI, "").replace(PDI, ""))
    assert not any(word in trusted for word in ("channel", "evil", "EVIL", "tada", "hidden", "bold"))
    assert all(char.isprintable() or char in f"\n{FSI}{PDI}" for char in trusted) and "\ufe0f" not in trusted
    reference = card(make({}, status=status))
    if status == "pending":
        assert _without_ids(markup(drawn.blocks)) == _without_ids(markup(reference.blocks))
    for part in walk(drawn.blocks):
        text = part.get("text")
        if isinstance(text, str):
            assert not hides(text.replace(FSI, "").replace(PDI, ""))


def _without_ids(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_value_is_visible_or_there_is_no_approve(make: Make, seen: Any, data: Any) -> None:
    count = iter(range(10_000))

    def marked() -> st.SearchStrategy[str]:
        pad = st.text(st.sampled_from("ab \n\u200b😀<&"), max_size=60) | st.integers(0, 2000).map("x".__mul__)
        return st.tuples(pad, pad).map(lambda pads: f"{pads[0]}MARK{next(count):05}{pads[1]}")

    names = st.text(st.sampled_from("abc ›\u202e"), max_size=130).map(lambda n: f"{n}NAME{next(count):05}")
    values = st.recursive(
        marked(), lambda v: st.lists(v, max_size=5) | st.dictionaries(names, v, max_size=5), max_leaves=12
    )
    payload = data.draw(st.dictionaries(names, values, max_size=6))
    encoded = data.draw(st.booleans())
    schema = (
        {"type": "object", "properties": {n: {"contentEncoding": "base64"} for n in payload}}
        if encoded
        else None
    )
    asked = make(payload, schema=schema, reason=data.draw(marked())[:4000])
    drawn = card(asked)
    actions = buttons(drawn.blocks)
    assert ("approve" in actions) != ("review" in actions)
    assert ("approve" in actions) == shown_whole(asked)
    if "approve" not in actions:
        assert not any(o["value"].startswith("note") for o in actions["more"]["options"])
        return
    payload_blocks = [b for b in drawn.blocks if b.get("block_id", "").startswith("payload")]
    text = seen(payload_blocks)
    missing = [leaf for leaf in _markers(payload) if leaf not in text]
    assert not missing


def _markers(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [m for name, item in value.items() for m in [name[-9:], *_markers(item)]]
    if isinstance(value, list):
        return [m for item in value for m in _markers(item)]
    at = value.index("MARK")
    return [value[at : at + 9]]


def test_a_marker_at_any_offset_of_a_long_text_is_visible_or_there_is_no_approve(
    make: Make, seen: Any
) -> None:
    for size in (100, 1400, 1490, 1600, 1790, 1810, 2999, 3001, 9000, 60_000):
        for offset in {0, 1, size // 2, size - 7}:
            text = "x" * offset + "MARKER!" + "y" * (size - offset - 7)
            drawn = card(make({"a": text}))
            assert visible(text) in seen(drawn.blocks) or "approve" not in buttons(drawn.blocks)


@pytest.mark.parametrize(
    "headline", ["Refund 120 EUR to שלום " * 8, "Pay “שלום”, “אב” " * 9, "x" * 200, "<&" * 90]
)
def test_a_long_headline_fits_its_header_whatever_it_holds(make: Make, headline: str) -> None:
    drawn = card(make({"a": 1}, verdict={"headline": headline[:150]}))
    assert check_message(drawn.blocks, drawn.text, drawn.metadata) == []
