"""What eyes can be misled by is named, and everyday text is left alone; values cannot pass for our words."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from bot import deceptions, disguises, domains, everyday
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_message
from signoff.bot.cards.card import card
from signoff.bot.forms.difference_view import difference_view
from signoff.bot.forms.modals import note_view
from signoff.bot.forms.review import review_view
from signoff.bot.text.alphabet import skeleton
from signoff.bot.text.cautions import READ, SHOWN, caution_lines
from signoff.bot.text.difference import by_line, changes, elements
from signoff.bot.text.hosts import coded_hosts
from signoff.bot.text.lookalikes import Suspect, scripts_of, suspects
from signoff.bot.text.payload import elements as row_elements
from signoff.bot.text.payload import json_text, rows
from signoff.bot.text.quotes import FSI, PDI, isolated_sentence
from signoff.bot.text.text import actual, exact, hides, visible
from signoff.bot.text.words import cautions as caution_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import lists as lists_words
from signoff.models.approval import Approval

Make = Callable[..., Approval]
TEXTS = [*deceptions.TEXTS, *disguises.TEXTS]
PAYLOADS = [*deceptions.PAYLOADS, *disguises.PAYLOADS]
EVERYDAY = {**everyday.EVERYDAY, **domains.DOMAINS}
EVERYDAY_PAYLOADS = [*everyday.PAYLOADS, *domains.PAYLOADS]
LINES = [(script, text) for script, texts in EVERYDAY.items() for text in texts]
SURE = {"reversibility": "irreversible", "reversibility_from": "policy", "risk": "low", "risk_from": "policy"}


def warned(make: Make, payload: dict[str, Any], **fields: Any) -> str:
    approval = make(payload, **fields)
    return caution_lines(approval.request, approval.payload)


def shown(blocks: Any) -> str:
    """All that stands in blocks, as JSON."""
    return json.dumps(blocks, ensure_ascii=False)


def test_the_tables_are_as_large_as_they_have_to_be() -> None:
    assert len(LINES) >= 600 and len(EVERYDAY) >= 40
    assert len(set(LINES)) == len(LINES)
    assert len(TEXTS) + len(PAYLOADS) >= 180


@pytest.mark.parametrize(("script", "text"), LINES, ids=itertools.count())
def test_everyday_text_is_left_alone(make: Make, script: str, text: str) -> None:
    assert visible(text, keep="\n\t") == text
    assert not hides(text)
    assert warned(make, {"note": text}) == ""
    if not text.startswith("\u3000") and "\n" not in text and "\t" not in text:
        assert visible(text) == text
        assert warned(make, {text: 1}, reason=text) == ""


@pytest.mark.parametrize("script", EVERYDAY)
def test_everyday_text_of_one_script_stands_together(make: Make, script: str) -> None:
    texts = [text for text in EVERYDAY[script] if not text.startswith("\ufeff")]
    assert warned(make, {"items": texts, "all": "\n".join(texts)}, reason=texts[0], title=texts[-1]) == ""


@pytest.mark.parametrize("payload", EVERYDAY_PAYLOADS, ids=itertools.count())
def test_fields_explain_each_other(make: Make, payload: dict[str, Any]) -> None:
    assert warned(make, payload) == ""


@pytest.mark.parametrize(("text", "says"), TEXTS, ids=itertools.count())
def test_what_misleads_is_named(make: Make, text: str, says: str) -> None:
    told = warned(make, {"it": text, "amount": 120, "other": "plain words"})
    assert says in told
    assert "it" in told.split(": ")[0]
    approval = make({"it": text}, editable=True)
    warning = next(
        block for block in card(approval).blocks if block.get("block_id", "").startswith("warning")
    )
    assert warning["elements"][0]["text"] == caution_lines(approval.request, approval.payload)
    assert check_message(card(approval).blocks) == []


@pytest.mark.parametrize(("payload", "says"), PAYLOADS, ids=itertools.count())
def test_what_misleads_is_named_with_its_place(make: Make, payload: dict[str, Any], says: str) -> None:
    assert says in warned(make, payload)


def test_claims_are_looked_at_as_well(make: Make) -> None:
    for name, value in (
        ("title", "Refund for pаypal"),
        ("reason", "see pаypal.com"),
        ("requested_by", "pаypal"),
        ("impact", "pаypal"),
        ("undo", "pаypal"),
        ("alternatives", ["pаypal"]),
        ("context", {"seen": ["pаypal"]}),
    ):
        told = warned(make, {"amount": 1}, **{name: value})
        assert told.endswith(f"in {caution_words.PLACES[name]}: its second letter is Cyrillic."), told


def test_it_is_said_wherever_somebody_approves(make: Make) -> None:
    approval = make({"url": "аpple.com"}, editable=True)
    says = "`аpple.com` in url: its first letter is Cyrillic."
    changed = {"url": "аpple.com/login"}
    for view in (review_view(approval), note_view(approval), difference_view(approval, changed)):
        assert "its first letter is Cyrillic" in shown(view["blocks"])
    assert says in shown(review_view(approval)["blocks"])


def test_the_worst_is_told_first_and_cannot_be_buried(make: Make) -> None:
    told = warned(make, {**{f"f{n}": f"а{n}dmin" for n in range(40)}, "z": "bank․com"})
    assert told.startswith("`bank․com` in z")
    assert len(told.split("\n")) == SHOWN + 1 and told.endswith("more like these.")
    assert len(told) < 1500


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["xn--", "a", "80ak6aa92e", "9" * 30, ".", "-", "é", "/"]), max_size=12))
def test_any_coded_name_is_read_or_said_to_be_unreadable(parts: list[str]) -> None:
    text = "".join(parts)
    for host, read in coded_hosts(text):
        line = caution_words.suspect(Suspect("coded", host, reads=read, host=True), ["url"], False)
        assert (
            host in text and "its name is coded" in line and not hides(line.replace(FSI, "").replace(PDI, ""))
        )


def test_more_than_is_looked_through_is_said(make: Make) -> None:
    assert caution_words.UNREAD in warned(make, {"a": "Привет, как дела? " * 10_000})
    assert f"{READ:,}" in caution_words.UNREAD
    assert warned(make, {"a": "Привет, как дела? " * 5_000}) == ""
    assert "Too many unusual words" in warned(make, {"a": " ".join(f"б{n}.б" for n in range(9_000))})


WORST = {
    "prose": "Привет дорогой ",
    "dots": "т.е. ",
    "two alphabets": "аa",
    "one address": "а.b/",
    "points": "a․",
    "marks": "e\u0301",
    "digits": "1१",
    "lone": "о а с ",
    "directions": "א.1.",
    "hidden": "\u200b",
    "joiners": "क\u200d",
    "emoji": "👩\u200d",
    "soft": "ab\u00ad",
    "spaces": "a\u00a0",
    "coded": "xn--a.",
    "separators": "1٫",
    "schemes": "://а",
    "schemes and digits": "://۱",
    "middle dots": "a·com/",
    "flags": "🏴\U000e0067\U000e007f",
    "plain then odd": "1",
}


@pytest.mark.parametrize("name", WORST)
def test_looking_is_linear(name: str) -> None:
    """Ten times the text takes about ten times as long; a square would take a hundred."""

    def took(length: int) -> float:
        text = (WORST[name] * length)[:length] + "é"
        best = []
        for _ in range(3):
            began = time.process_time()
            visible(text, "\n\t")
            hides(text)
            skeleton(text)
            list(suspects(text, scripts_of(text)))
            best.append(time.process_time() - began)
        return min(best)

    took(1_000)
    assert took(80_000) < 40 * max(took(8_000), 0.002)


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from('aаοо1１१․.∕/@ıϲ·‼٫²\u200d\u00ad\u0301\u202eאب 中👩\ufe0f`“”"»\n'), max_size=60)
)
def test_whatever_is_written_the_warning_is_ours_alone(text: str) -> None:
    for suspect in suspects(text, scripts_of(text)):
        line = caution_words.suspect(suspect, ["url"], False)
        assert "\n" not in line and not hides(line.replace(FSI, "").replace(PDI, ""))
        assert line.count("`") == 2
    assert actual(visible(text)) == text and actual(exact(text)) == text
    assert exact(text).isascii()


# Direction.


def parts(blocks: list[dict[str, Any]]) -> str:
    return "".join(span.get("text", "") for block in blocks for span in block["elements"])


def test_what_is_read_from_the_right_keeps_its_place_in_our_lines() -> None:
    old, new = {"סכום": "אב 120"}, {"סכום": "גד 80"}
    drawn, _ = elements(changes(old, new), 1000)
    assert parts(drawn) == f"{FSI}סכום{PDI}  {FSI}אב 120{PDI} → {FSI}גד 80{PDI}"
    assert by_line("אב 120\nsame", "גד 80\nsame") == f"- {FSI}אב 120{PDI}\n+ {FSI}גד 80{PDI}\n  same"
    [row] = row_elements(rows(None, {"לקוח": "דנה 5"}))
    assert parts([row]).startswith(f"{FSI}לקוח{PDI}  {FSI}דנה 5{PDI}")
    assert json_text(["אב", 120]) == f'[\n  "{FSI}אב{PDI}",\n  120\n]'


def test_sentences_lists_and_notifications_isolate_too(make: Make) -> None:
    headline = "Refund 120 EUR to “דנה 5”"
    told = f"{FSI}Refund 120 EUR to “{FSI}דנה 5{PDI}”{PDI}"
    assert isolated_sentence(headline) == told
    approval = make({"a": 1}, verdict={**SURE, "headline": headline})
    drawn = card(approval)
    assert drawn.blocks[0]["text"]["text"] == told
    assert drawn.text.startswith(f"billing-bot asks: {told}: a “1” · ")
    assert f"“{FSI}ריצה 5{PDI}”" in lists_words.run_named("ריצה 5")
    assert f"“{FSI}כותרת{PDI}”" in forms_words.agent_title("כותרת")


def test_two_values_that_look_the_same_are_told_apart() -> None:
    for old, new in (
        ("caf\u00e9", "cafe\u0301"),
        ("аcme", "acme"),
        ("a b", "a\u00a0b"),
        ("no\u00adtes here", "notes here"),
    ):
        [change] = changes({"x": old}, {"x": new})
        assert change.old is not None and change.new is not None and change.old != change.new
        assert change.old.isascii() and change.new.isascii()
        assert (actual(change.old), actual(change.new)) == (old, new)
