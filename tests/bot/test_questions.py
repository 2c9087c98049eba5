"""Questions as Slack is sent them: within its limits, nothing of the agent's as ours, no answer unseen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import MESSAGE_TOTAL, check_message, check_view
from signoff.bot.cards.card import double
from signoff.bot.cards.pending import waiting_blocks
from signoff.bot.cards.question_card import question_card
from signoff.bot.cards.record import record_blocks, record_view
from signoff.bot.cards.table import counted
from signoff.bot.forms.answer_form import answer_view, hand_view, none_view, read_answer, read_hand, read_none
from signoff.bot.gallery.approval import BEGAN, made_up
from signoff.bot.text.options import Labels
from signoff.bot.text.size import TEXT_BYTES
from signoff.bot.text.text import actual, visible
from signoff.bot.text.words import questions as words
from signoff.bot.text.words import replies as replies_words
from signoff.models.approval import Approval
from signoff.models.questions import ACTION, QUESTION, WHYS, GivenAnswer, Question

JSON = dict[str, Any]
Walk = Callable[[Any], Iterator[JSON]]
NOW = BEGAN + 1
OURS = re.compile(r"<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<!date\^[0-9]+\^[^<>|]+\|[^<>|]+>")
MARKUP = re.compile(r"[<>*~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:[A-Za-z0-9_+'-]+:|[A-Za-z0-9]://|```")
HOSTILE = (
    "<!channel>", "<@U0EVE>", "<https://evil.example|Approve>", "*bold* _it_ ~no~ `code`", ":tada:",
    "Approve", "You decide", "None of these…", "Hand to…", words.SAFETY, "Answered by @ana", "&lt;!here&gt;",
    "\u202eevil\u202c", "\u200b\u200bYes", "אבג 120 → דהו", "نعم", "漢字",
    "a\nYour answer lets everything run.",
    "1. one", "• two", "| three", "😀" * 20, "z\u0300\u0301\u0302\u0303\u0304\u0305\u0306algo",
)  # fmt: skip
_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SCRIPTS = (
    "Latin ",
    "Оплата ",
    "Πληρωμή ",
    "دفع ",
    "תשלום ",
    "भुगतान ",
    "การชำระ",
    "支付",
    "송장 ",
    "💶🧾",
    "\u202e",
    "\u200b",
)


def text(most: int) -> st.SearchStrategy[str]:
    """Anything, of up to `most` characters, that is not blank."""
    whole = st.sampled_from(SCRIPTS).map(lambda word: (word * most)[:most])
    some = st.sampled_from(HOSTILE).map(lambda said: said[:most]) | st.text(_LETTERS, max_size=min(most, 60))
    return (whole | some).map(lambda said: f"x{said}"[:most])


def option(at: int) -> st.SearchStrategy[JSON]:
    return st.fixed_dictionaries(
        {"id": st.just(f"o{at}"), "text": text(150), "about": text(300) | st.just("")}
    )


@st.composite
def questions(draw: Callable[[st.SearchStrategy[Any]], Any]) -> JSON:
    """Every question that intake takes: no two of its options read the same."""
    options = {
        " ".join(one["text"].split()): one for one in map(draw, map(option, range(draw(st.integers(0, 10)))))
    }
    ids = [one["id"] for one in options.values()]
    count = len(ids)
    asked: JSON = {"question": draw(text(1000)), "options": [*options.values()]}
    asked |= {"free_text": not count or draw(st.booleans()), "date": draw(st.booleans())}
    asked |= {"several": count > 1 and draw(st.booleans()), "why": draw(st.sampled_from(WHYS))}
    source = st.fixed_dictionaries({"name": text(150), "text": text(4000) | st.just("")})
    attempt = st.fixed_dictionaries({"what": text(300), "error": text(1000) | st.just("")})
    asked["sources"] = draw(st.lists(source, min_size=2, max_size=5))
    asked["tries"] = draw(st.lists(attempt, min_size=1, max_size=10))
    if draw(st.booleans()):
        asked["default"] = draw(st.sampled_from(ids)) if count else draw(text(300))
    return asked


def spaced(shown: str) -> str:
    """A visible text without what holds directions together; line ends, and ⏎ for them, as spaces."""
    return " ".join(re.sub("[\u2068\u2069⏎]", " ", actual(shown)).split())


def asks(asked: JSON, **fields: Any) -> Approval:
    return made_up(asked, kind=QUESTION, action=ACTION, **fields)


def which(**more: Any) -> JSON:
    smiths = [{"id": "a", "text": "Ann Smith, Berlin"}, {"id": "b", "text": "Al Smith, Bonn"}]
    return {"question": "Which Smith do you mean?", "options": smiths, **more}


def buttons(blocks: list[JSON], walk: Walk) -> dict[str, str]:
    """By action id, what stands on them."""
    return {one["action_id"]: one["text"]["text"] for one in walk(blocks) if one.get("type") == "button"}


@settings(max_examples=60, deadline=None)
@given(questions(), text(800))
@example(
    which(
        options=[{"id": f"o{n}", "text": f"{n}" + "\u202e" * 149, "about": "\u202e" * 300} for n in range(10)]
    ),
    "x",
)
@example({"question": "x" + "\u202e" * 999, "free_text": True, "why": "conflict",
          "sources": [{"name": "\u202e" * 150, "text": "\u202e" * 4000}] * 5,
          "tries": [{"what": "\u202e" * 300, "error": "\u202e" * 1000}] * 10}, "\u202e" * 800)  # fmt: skip
@example(
    which(options=[{"id": f"o{n}", "text": f"{n}" + "💶" * 149, "about": "💶" * 300} for n in range(10)]),
    "💶" * 800,
)
def test_whatever_is_asked_slack_takes_and_nothing_of_it_is_markup(
    walk: Walk, markup: Callable[[Any], str], asked: JSON, reason: str
) -> None:
    approval = asks(asked, reason=reason)
    drawn = question_card(approval, now=NOW)
    assert check_message(drawn.blocks, drawn.text, drawn.metadata) == []
    assert counted(drawn.blocks) <= MESSAGE_TOTAL and len(drawn.text.encode()) <= TEXT_BYTES
    views = [answer_view(approval), none_view(approval), hand_view(approval), record_view(approval, NOW)]
    looked_up = record_blocks(approval, may_decide=True, now=NOW)
    assert [problem for view in views for problem in check_view(view)] == []
    assert check_message(looked_up) == [] and check_message(double(approval, now=NOW).blocks) == []
    for shown in (drawn.blocks, *views, looked_up, waiting_blocks(replies_words.WAITS_HERE, [approval], NOW)):
        bare = OURS.sub("", markup(shown))
        assert "evil" not in bare and "channel" not in bare and "U0EVE" not in bare
    said = OURS.sub("", drawn.text)
    assert not MARKUP.search(said), MARKUP.search(said)
    assert drawn.text.startswith("billing-bot has a question: “")
    told = drawn.text.split("\n")
    assert told.count(words.SAFETY) == 1 and told[-1].startswith("Open the message to answer: ")
    safety = [block for block in drawn.blocks if block.get("block_id", "").startswith("safety:")]
    assert [block["elements"][0]["text"] for block in safety] == [words.SAFETY]
    rows = [block for block in drawn.blocks if block["type"] == "actions"]
    assert drawn.blocks[-len(rows) - 1 :] == [*safety, *rows], "the line stands above the buttons, always"


@settings(max_examples=60, deadline=None)
@given(questions())
def test_an_answer_stands_on_a_button_only_where_all_of_the_question_is_read(
    walk: Walk, seen: Callable[[Any], str], asked: JSON
) -> None:
    approval, question = asks(asked), Question.of(asked)
    blocks = question_card(approval, now=NOW).blocks
    found = buttons(blocks, walk)
    chosen = [name for name in found if name.startswith("option_")]
    assert "hand" in found and ("answer" in found or chosen)
    assert not {"approve", "reject", "edit", "review"} & found.keys()
    if not chosen:
        return
    assert [f"option_{at}" for at in range(len(question.options))] == chosen and not question.several
    read = seen(blocks)
    texts = [question.question, *(part for one in question.options for part in (one.text, one.about))]
    texts += [part for one in question.sources for part in (one.name, one.text)]
    texts += [part for one in question.tries for part in (one.what, one.error)]
    bare = spaced(read)
    for said in texts:
        assert spaced(visible(said)) in bare, said


@pytest.mark.parametrize("why", WHYS)
def test_each_why_stands_in_words_of_ours(why: str, seen: Callable[[Any], str]) -> None:
    both = [{"name": "CRM", "text": "Berlin"}, {"name": "last invoice", "text": "Bonn"}]
    asked = which(why=why, sources=both, tries=[{"what": "search by e-mail", "error": "404"}])
    drawn = question_card(asks(asked), now=NOW)
    assert words.WHY[why] in seen(drawn.blocks) and words.WHY[why] in drawn.text  # type: ignore[index]
    others = set(words.WHY.values()) - {words.WHY[why]}  # type: ignore[index]
    assert not any(other in seen(drawn.blocks) for other in others)


def test_sources_stand_beside_each_other_and_attempts_with_what_went_wrong(
    seen: Callable[[Any], str],
) -> None:
    both = [{"name": "CRM", "text": "Berlin"}, {"name": "last invoice", "text": "Bonn"}]
    tries = [{"what": "search by e-mail", "error": "404"}, {"what": "ask the API"}]
    for blocks in (
        question_card(asks(which(sources=both, tries=tries)), now=NOW).blocks,
        answer_view(asks(which(sources=both, tries=tries)))["blocks"],
    ):
        (fields,) = [block["fields"] for block in blocks if "fields" in block]
        assert [one["text"] for one in fields] == ["“CRM” says:\n“Berlin”", "“last invoice” says:\n“Bonn”"]
        assert {one["type"] for one in fields} == {"plain_text"}
        assert "search by e-mail – failed: 404" in seen(blocks) and "ask the API – failed" in seen(blocks)


def test_what_reads_like_our_words_or_like_another_answer_is_numbered_and_named(walk: Walk) -> None:
    options = [
        {"id": str(n), "text": said} for n, said in enumerate(("Approve", "paypal", "pаypal", "Bonn", "bonn"))
    ]
    drawn = question_card(asks(which(options=options)), now=NOW)
    found = buttons(drawn.blocks, walk)
    assert [found[f"option_{at}"] for at in (0, 1, 2)] == ["1. Approve", "2. paypal", "3. pаypal"]
    warned = [block for block in drawn.blocks if block.get("block_id", "").startswith("warning:")]
    told = warned[0]["elements"][0]["text"]
    assert "Answer 1 reads like words of Signoff" in told
    assert "Answers 2 and 3 look alike: `paypal` and `p\\u{430}ypal`." in told
    assert "Answers 4 and 5 look alike: `Bonn` and `bonn`." in told
    assert "in answer 3: its second letter is Cyrillic" in told


@pytest.mark.parametrize("said", ["approve", "You decide", "YOU DECIDE…", "Hand to", "аpprove", "“Reject”",
                                  "Your answer lets me run it", "Answered by @ana"])  # fmt: skip
def test_our_own_words_are_known_in_any_letters(said: str) -> None:
    labels = Labels.of(Question.of(which(options=[{"id": "a", "text": said}, {"id": "b", "text": "Bonn"}])))
    assert labels.numbered and labels.warnings == (words.looks_ours(["answer 1"]),)


@pytest.mark.parametrize("said", ["Approve the second one", "Answer the mail", "Decide later", "Close it"])
def test_ordinary_answers_are_left_alone(said: str) -> None:
    labels = Labels.of(Question.of(which(options=[{"id": "a", "text": said}, {"id": "b", "text": "Bonn"}])))
    assert labels.warnings == () and labels.label(0, 75) == said


def test_many_options_or_long_ones_or_several_are_chosen_in_the_form(walk: Walk) -> None:
    long = {"id": "long", "text": "The way that takes longest, past the old mill"}
    for asked, element in (
        (which(options=[{"id": f"o{n}", "text": f"way {n}"} for n in range(6)]), "radio_buttons"),
        (which(options=[long, {"id": "b", "text": "Bonn"}]), "radio_buttons"),
        (which(several=True), "checkboxes"),
    ):
        found = buttons(question_card(asks(asked), now=NOW).blocks, walk)
        assert "answer" in found and not any(name.startswith("option_") for name in found)
        assert element in {one.get("type") for one in walk(answer_view(asks(asked))["blocks"])}


def state(**held: Any) -> JSON:
    return {name: {"value": value} for name, value in held.items()}


def test_a_form_is_read_as_what_was_entered() -> None:
    asked = Question.of(which(several=True, date=True, free_text=True))
    options = [{"value": "a"}, {"value": "b"}]
    values = state(
        choice={"selected_options": options}, date={"selected_date": "2027-03-31"}, text={"value": " both "}
    )
    answer, errors = read_answer(asked, values)
    assert (answer, errors) == (GivenAnswer(choice=("a", "b"), date="2027-03-31", text="both"), {})
    assert read_answer(asked, {})[1] == {"choice": words.NOTHING_SAID}
    assert read_answer(Question.of(which()), {})[1] == {"choice": words.NOTHING_CHOSEN}
    assert read_answer(Question.of({"question": "?", "date": True}), {})[1] == {"date": words.NOTHING_DATED}
    assert read_answer(Question.of({"question": "?", "free_text": True}), {})[1] == {
        "text": words.NOTHING_TYPED
    }
    long, errors = read_answer(asked, state(text={"value": "x" * 3001}))
    assert errors == {"text": words.TOO_LONG} and long == GivenAnswer()
    for junk in (
        {"choice": 7},
        state(choice=["a"]),
        state(text={"value": 5}),
        state(choice={"selected_option": "a"}),
    ):
        assert read_answer(asked, junk)[0] == GivenAnswer()
    assert read_none(state(text={"value": "x"})) == (GivenAnswer(none=True, text="x"), {})
    assert read_none({})[1] == {"text": words.NOTHING_TYPED}
    assert read_hand(state(to={"selected_user": "U0BEN"})) == "U0BEN" and read_hand({}) == ""


def test_the_header_is_the_same_in_every_state_and_a_double_has_it() -> None:
    waits = asks(which())
    over = replace(waits, status="expired", revision=2)
    for drawn in (question_card(waits, now=NOW), question_card(over, now=NOW), double(waits, now=NOW)):
        assert drawn.blocks[0]["text"]["text"] == "billing-bot has a question"
    assert not any(block["type"] == "actions" for block in double(waits, now=NOW).blocks)
    assert "“Which Smith do you mean?”" in double(waits, now=NOW).text


def test_past_its_time_nothing_can_be_pressed(walk: Walk) -> None:
    waits = asks(which())
    assert buttons(question_card(waits, now=waits.expires_at).blocks, walk) == {}


def test_a_question_of_lines_is_one_line_in_the_notification_and_whole_below() -> None:
    told = question_card(asks({"question": "Which?\n\nThe first?", "free_text": True}), now=NOW).text.split(
        "\n"
    )
    assert told[0].startswith("billing-bot has a question: “Which? The first?” · ")
    assert "| Which?" in told and "| The first?" in told
