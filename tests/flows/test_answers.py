"""Questions in Slack, by a real bot: every way to answer one, to hand it on, and to come too late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flows.local import Local, local_bot
from flows.person import ANA, BEN, MIA, buttons, redrawn, text_of
from redis import Redis
from sqlalchemy import text as sql
from support import RedisServer

from signoff.models.approval import Approval
from signoff.models.questions import ACTION, QUESTION
from signoff.sandbox.remote import nodes
from signoff.sandbox.team import BOT_USER_ID

JSON = dict[str, Any]
SMITHS = [{"id": "a", "text": "Ann Smith, Berlin"}, {"id": "b", "text": "Al Smith, Bonn"}]
SAFETY = "Your answer lets nothing run. Never type passwords or codes here."
OURS = ["none", "hand", "more"]


@pytest.fixture(scope="module")
def bot(
    tmp_path_factory: pytest.TempPathFactory, _redis_server: RedisServer, transport: str
) -> Iterator[Local]:
    with Redis.from_url(_redis_server.url) as client:
        client.flushall()
    folder = tmp_path_factory.mktemp("answers")
    with local_bot(folder, _redis_server.url, ack_seconds=30, transport=transport) as local:
        yield local


def ask(bot: Local, **question: Any) -> str:
    """A question of an agent's, whose card stands; its approval's id."""
    asked = {"question": "Which Smith do you mean?", **question}
    return bot.ask(kind=QUESTION, action=ACTION, payload=asked)


def answer_of(bot: Local, approval_id: str) -> JSON | None:
    """What is recorded as the answer; None while none is."""
    approval: Approval = bot.server.approvals.get(approval_id)
    assert (approval.status == "answered") is (approval.decision is not None)
    return approval.decision.answer if approval.decision else None


def shows(bot: Local, approval_id: str, *words: str) -> str:
    """What the card says once it is redrawn."""
    bot.deliver(approval_id)
    return text_of(redrawn(bot.slack, approval_id, *words, channel="C0SHARED01"))


def run_out(bot: Local, approval_id: str) -> None:
    """Its time is over, as of now."""
    store = bot.server.store
    with store.transaction() as connection:
        values = {"id": approval_id, "at": store.clock() - 1}
        connection.execute(sql("UPDATE approval SET expires_at = :at WHERE id = :id"), values)


def labels(message: JSON) -> list[str]:
    return [str(one["text"]["text"]) for one in nodes(message["blocks"]) if one.get("type") == "button"]


def test_an_option_is_answered_by_its_button(bot: Local) -> None:
    asked = ask(bot, options=SMITHS, why="ambiguous")
    card = bot.card(asked)
    assert buttons(card) == ["option_0", "option_1", *OURS]
    assert labels(card)[:2] == ["Ann Smith, Berlin", "Al Smith, Bonn"]
    said = text_of(card)
    assert "billing-bot has a question" in said and "It found several that fit." in said and SAFETY in said
    bot.person(ANA).click(card, "option_1")
    assert answer_of(bot, asked) == {"choice": ["b"]}
    shows(bot, asked, f"<@{ANA}>", "Answered", "Al Smith, Bonn")
    receipt = bot.server.approvals.get(asked)
    assert (receipt.status, receipt.decision and receipt.decision.vote) == ("answered", "answer")


def test_who_comes_later_is_told_who_was_faster(bot: Local) -> None:
    asked = ask(bot, options=SMITHS)
    card, ben = bot.card(asked), bot.person(BEN)
    ben.click(card, "none")
    form, before = ben.view("none"), len(ben.told())
    bot.person(ANA).click(card, "option_0")
    ben.submit(form, What_is_right_instead="Amelie, in Basel")
    lost = ben.view("message", "answered this", "before you", "Amelie, in Basel")
    assert f"<@{ANA}>" in text_of(lost)
    ben.close_all()
    ben.click(card, "option_1")
    told = ben.told_now(before, "answered this", "before you", "Nothing else happened")
    assert f"<@{ANA}>" in text_of(told) + told["text"]
    assert answer_of(bot, asked) == {"choice": ["a"]}


def test_many_options_are_answered_in_a_form_where_each_stands_with_what_is_said_of_it(bot: Local) -> None:
    options = [
        {"id": f"o{at}", "text": f"The way number {at}", "about": f"about {at} " * 8} for at in range(10)
    ]
    asked = ask(bot, options=options)
    card, ana = bot.card(asked), bot.person(ANA)
    assert buttons(card) == ["answer", "hand", "more"]
    assert all(option["text"] in text_of(card) for option in options)
    ana.click(card, "answer")
    form = ana.view("answer", SAFETY)
    (radio,) = [one for one in nodes(form["blocks"]) if one.get("type") == "radio_buttons"]
    assert [one["value"] for one in radio["options"]] == [option["id"] for option in options]
    assert all(option["about"].strip() in text_of(form) for option in options)
    ana.submit(form, Choose_one="o7")
    assert ana.stack() == [] and answer_of(bot, asked) == {"choice": ["o7"]}


def test_several_a_date_and_words_are_answered_in_the_form(bot: Local) -> None:
    asked = ask(bot, options=SMITHS, several=True, date=True, free_text=True)
    ana = bot.person(ANA)
    ana.click(bot.card(asked), "answer")
    form = ana.view("answer")
    refused = ana.submit(form)["response"]
    assert refused["errors"] == {"choice": "Choose an answer, or say it in your own words."}
    ana.submit(form, Choose_one_or_more=["b", "a"], A_date="2027-03-31", Or_in_your_own_words=" both \n")
    assert answer_of(bot, asked) == {"choice": ["a", "b"], "text": "both", "date": "2027-03-31"}
    shows(bot, asked, "Ann Smith, Berlin", "Al Smith, Bonn", "2027-03-31 (Wednesday)", "both")


@pytest.mark.parametrize("secret", ["sk-proj-" + "aB3dE5" * 8, "password: hunter22x", "ghp_" + "a1B2" * 9])
def test_what_looks_like_a_secret_is_refused_at_its_field(bot: Local, secret: str) -> None:
    asked = ask(bot, question="How do I log in?", free_text=True)
    ana = bot.person(ANA)
    ana.click(bot.card(asked), "answer")
    told = ana.submit(ana.view("answer", SAFETY), In_your_own_words=f"take {secret}")["response"]["errors"]
    assert told.keys() == {"text"} and "Nobody may type secrets here" in told["text"]
    assert secret not in str(told) and answer_of(bot, asked) is None
    ana.close_all()


def test_none_of_these_needs_words_and_is_told_apart(bot: Local) -> None:
    asked = ask(bot, options=SMITHS)
    ana = bot.person(ANA)
    ana.click(bot.card(asked), "none")
    form = ana.view("none", "Which Smith do you mean?", SAFETY)
    assert ana.submit(form, What_is_right_instead=" \u200b ")["response"]["errors"]
    ana.submit(form, What_is_right_instead="Amelie Smyth, in Basel")
    assert answer_of(bot, asked) == {"none": True, "text": "Amelie Smyth, in Basel"}
    shows(bot, asked, "None of these:", "Amelie Smyth, in Basel")


def test_you_decide_says_what_comes_of_it_and_is_nobodys_choice(bot: Local) -> None:
    asked = ask(bot, options=SMITHS, default="b")
    card = bot.card(asked)
    assert "You decide: billing-bot goes on with “Al Smith, Bonn”, its own choice." in text_of(card)
    bot.person(ANA).click(card, "you_decide")
    assert answer_of(bot, asked) == {"default": True, "choice": ["b"]}
    shows(bot, asked, "You decide; the agent's own choice:", "Al Smith, Bonn")
    asked, ana = ask(bot, free_text=True, default="x" * 290), bot.person(ANA)
    assert "you_decide" not in buttons(bot.card(asked))
    ana.click(bot.card(asked), "answer")
    ana.press(ana.view("answer", "x" * 290), "you_decide")
    ana.view("message", "it is for it to decide")
    assert answer_of(bot, asked) == {"default": True, "text": "x" * 290}
    ana.close_all()


def test_a_question_is_handed_to_somebody_who_may_answer_and_to_nobody_else(bot: Local) -> None:
    asked = ask(bot, options=SMITHS)
    ana, ben = bot.person(ANA), bot.person(BEN)
    ana.click(bot.card(asked), "hand")
    form = ana.view("hand", "Which Smith do you mean?")
    for nobody, why in ((MIA, "may not"), (ANA, "have it already"), ("U0GUS00001", "may not")):
        told = ana.submit(form, Who_should_answer_this=nobody)["response"]["errors"]
        assert why in told["to"], told
    ana.submit(form, Who_should_answer_this=BEN)
    assert ana.stack() == []
    bot.deliver(asked)
    card = bot.card(asked)
    assert f"Handed to <@{BEN}> by <@{ANA}>" in text_of(card)
    ben.click(card, "option_0")
    assert answer_of(bot, asked) == {"choice": ["a"]}
    shows(bot, asked, f"<@{BEN}>", "Ann Smith, Berlin")


def test_whose_time_runs_out_in_the_form_is_told_and_keeps_what_was_typed(bot: Local) -> None:
    asked = ask(bot, question="What now?", free_text=True)
    ana = bot.person(ANA)
    ana.click(bot.card(asked), "answer")
    form = ana.view("answer")
    run_out(bot, asked)
    ana.submit(form, In_your_own_words="take the second train")
    ana.view("message", "The time ran out", "What you had typed was not used:", "take the second train")
    ana.close_all()
    bot.server.approvals.expire(asked)
    assert answer_of(bot, asked) is None
    shows(bot, asked, "Nobody answered")


def test_who_is_not_asked_is_told_so_and_nothing_is_recorded(bot: Local) -> None:
    asked = ask(bot, options=SMITHS)
    mia = bot.person(MIA)
    before = len(mia.told())
    mia.click(bot.card(asked), "option_0")
    mia.told_now(before, "can answer this")
    mia.click(bot.card(asked), "hand")
    mia.told_now(before + 1, "can answer this")
    assert answer_of(bot, asked) is None


def test_a_question_is_never_approved_or_rejected(bot: Local) -> None:
    asked = ask(bot, options=SMITHS)
    card, ana = bot.card(asked), bot.person(ANA)
    assert not {"approve", "reject", "edit", "review"} & {*buttons(card)}
    for said in ("reject wrong customer", "approve", "yes"):
        before = len(ana.told())
        ana.write(f"<@{BOT_USER_ID}> {said}", thread_ts=card["ts"])
        told = ana.told_now(before, "neither approved nor rejected" if "wrong" in said else "by words")
        assert "Approve" not in labels(told) and "Reject…" not in labels(told)
    assert bot.pending(asked)


def test_lists_and_shortcuts_open_the_form_and_show_no_answer_without_its_options(bot: Local) -> None:
    asked = ask(bot, question="Which of the lists?", options=SMITHS)
    ana, channel = bot.person(ANA), "C0SHARED01"
    ana.use_shortcut(bot.card(asked))
    ana.view("answer", "Which of the lists?", "Ann Smith, Berlin")
    ana.close_all()
    for text in ("pending", f"show {asked}"):
        before = len(ana.told())
        bot.slack.act(type="command", user=ANA, channel=channel, command="/approvals", text=text)
        told = ana.told_now(before, "Which of the lists?")
        assert "Answer…" in labels(told) and not [name for name in buttons(told) if "option" in name]
        assert ("Ann Smith, Berlin" in text_of(told)) is (text != "pending")
    ana.click(told, "answer")
    ana.view("answer", "Which of the lists?")
    ana.close_all()
    bot.slack.act(type="open_home", user=ANA)
    bot.draw_homes()
    home = bot.slack.views(ANA)["home"]
    assert "Which of the lists?" in text_of(home) and "Answer…" in labels(home)
    assert "whether it can be undone" not in text_of(home).partition("Which of the lists?")[2][:200]
