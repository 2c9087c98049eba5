"""What people see of a stop: on cards, in menus, forms and lists; and what nobody can press then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.approvals.errors import UnknownApproval
from signoff.approvals.stop_errors import Held, MayNotStop, NothingStopped, SamePerson, TooManyStops
from signoff.bot.blocks import check_message, check_view
from signoff.bot.cards.batch_card import batch_card
from signoff.bot.cards.card import choices_of
from signoff.bot.cards.menu import menu, rest_view
from signoff.bot.cards.stops import home_stops, stop_blocks
from signoff.bot.forms import stop_forms
from signoff.bot.gallery.approval import BEGAN, SECOND, made_up
from signoff.bot.gallery.batches import BATCHES
from signoff.bot.gallery.layouts import NOW, SETS, approval_of, card_of
from signoff.bot.gallery.stops import EVERY, stop
from signoff.bot.kinds import kind_of
from signoff.bot.listeners.replies import sentence
from signoff.bot.text.words import stops as words
from signoff.models.stops import OPERATOR, SIGNOFF, StopScope

JSON = dict[str, Any]
Walk = Callable[[Any], Iterator[JSON]]
CASES = [(name, case) for cases in SETS.values() for name, case in cases.items()]
LOOKS = {"more", "details", "undo"}
"""Action ids of what decides nothing about a request that waits."""


def pressable(walk: Walk, blocks: Any) -> list[JSON]:
    return [one for one in walk(blocks) if one.get("type") in ("button", "overflow")]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_every_card_has_one_menu_of_at_most_five_with_stop_in_it(walk: Walk, name: str, case: Any) -> None:
    approval = approval_of(case)
    drawn = card_of(case)
    menus = [one for one in pressable(walk, drawn.blocks) if one["type"] == "overflow"]
    assert len(menus) == 1 and menus[0]["action_id"] == "more" and len(menus[0]["options"]) <= 5
    last = menus[0]["options"][-1]
    assert last["value"] in (f"{verb}:{approval.id}:{approval.version}" for verb in ("stop", "resume"))
    assert last["value"].startswith("resume") is ("Resume" in last["text"]["text"])
    row = [block for block in drawn.blocks if str(block.get("block_id")).startswith("actions:")]
    if approval.request.kind == "approval":
        assert all(len(block["elements"]) <= 4 for block in row), (
            "Approve or Review, Reject, Edit, and the menu"
        )


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_nothing_on_a_card_that_is_held_decides_and_all_of_it_is_said(
    walk: Walk, name: str, case: Any
) -> None:
    approval = replace(approval_of(case), stop=stop(reason="Because *of* <@U1>"))
    if not approval.pending or approval.request.kind == "feedback" or approval.expires_at <= NOW:
        return
    drawn = kind_of(approval).card(approval, now=NOW)
    assert check_message(drawn.blocks, drawn.text, drawn.metadata) == []
    assert {one["action_id"] for one in pressable(walk, drawn.blocks)} == {"more"}
    for told in (str(drawn.blocks), drawn.text):
        assert "nothing of billing-bot runs" in told and "Why: “Because" in told
    assert "<@U1>" not in drawn.text and "Approve," not in drawn.text
    assert not any("Because" in one["text"] for one in walk(drawn.blocks) if one.get("type") == "mrkdwn")


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_that_is_held_has_no_approve_and_one_that_is_half_held_is_looked_through_one_by_one(
    walk: Walk, name: str
) -> None:
    batch = BATCHES[name]
    waits = [one for one in batch.items if one.pending and one.expires_at > NOW]
    if not waits:
        return
    every = replace(
        batch, items=tuple(replace(one, stop=EVERY[0]) if one.pending else one for one in batch.items)
    )
    drawn = batch_card(every, now=NOW)
    assert check_message(drawn.blocks, drawn.text) == []
    assert {one["action_id"] for one in pressable(walk, drawn.blocks)} == {"batch_look", "more"}
    assert "nothing of billing-bot runs" in str(drawn.blocks) and "nothing of billing-bot runs" in drawn.text
    if len(waits) > 1:
        first = waits[0].id
        some = replace(
            batch, items=tuple(replace(one, stop=EVERY[0]) if one.id == first else one for one in batch.items)
        )
        half = {one["action_id"] for one in pressable(walk, batch_card(some, now=NOW).blocks)}
        assert half == {"batch_each", "more"}


def test_where_there_is_more_than_a_menu_holds_more_opens_the_rest(walk: Walk) -> None:
    approval = made_up({"a": 1}, alike=12)
    usual = choices_of(approval, True)
    assert len(menu(approval, *usual)["options"]) == 5, "all of it fits today"
    many = (*usual, ("hand", "Hand to…"))
    shown = [one["value"].split(":")[0] for one in menu(approval, *many)["options"]]
    assert shown == ["note", "ask", "rest", "details", "stop"]
    rest = rest_view(approval, many)
    assert check_view(rest) == []
    buttons = pressable(walk, rest["blocks"])
    assert [one["action_id"] for one in buttons] == ["more_alike", "more_hand"]
    assert [one["value"] for one in buttons] == [f"{name}:{approval.id}:1" for name in ("alike", "hand")]
    assert "nothing else" in str(rest_view(approval, usual)["blocks"])


def test_what_stops_is_named_as_it_is_and_nothing_in_a_pattern_is_markup() -> None:
    held = [words.holds(one) for one in EVERY]
    assert "nothing of billing-bot runs" in held[0] and "no `refund.*` runs" in held[1]
    assert ": nothing runs*" in held[2] and "the operator" in held[2]
    assert "Signoff" in words.holds(stop(by=SIGNOFF)) and "somebody" in words.holds(stop(by="<!channel>"))
    approval = approval_of(SETS["stops"]["action"])
    assert "no `refund.*` runs" in kind_of(approval).card(approval, now=NOW).text
    for scope in (StopScope("action", "`*<!here>"), StopScope("agent", "a&b")):
        assert "<!here>" not in words.what(scope) and "``" not in words.what(scope)


def test_what_is_known_counts_each_by_its_own_word() -> None:
    told = words.known(3, 1, BEGAN, 1)
    assert told.startswith("*3 void*, confirmed by guards · *1 unconfirmed*, could run until <!date^")
    assert told.endswith(" · *1 reported spent*")
    assert words.known(0, 0, 0, 0) == "Nothing was approved that has not run."
    assert "confirmed by guards" not in words.known(0, 4, BEGAN, 0)
    assert "until" not in words.known(0, 4, 0, 0)


def test_a_form_that_nobody_has_named_anything_for_has_nothing_chosen(walk: Walk) -> None:
    scopes = [StopScope("all"), *(StopScope("agent", f"bot-{at}") for at in range(200))]
    for count in (2, 11, 201):
        view = stop_forms.stop_view(scopes[:count], named=False)
        assert check_view(view) == []
        element = view["blocks"][0]["element"]
        assert "initial_option" not in element and len(element["options"]) == min(count, 100)
    named = stop_forms.stop_view(scopes[1:3], EVERY)
    assert "initial_option" in str(named["blocks"]) and "is stopped" in str(named["blocks"][0])


def test_what_a_form_says_is_read_back_and_anything_else_is_refused() -> None:
    for scope in (StopScope("agent", "billing-bot"), StopScope("action", "refund.*:x"), StopScope("all")):
        values = _typed(stop_forms.written(scope), "end", "pass", f" why {'x' * 900}")
        asked = stop_forms.read_stop(values)
        assert (asked.scope, asked.withdraw, asked.undos) == (scope, True, True)
        assert asked.reason.startswith("why x") and len(asked.reason) == words.REASON_MOST
    assert not stop_forms.read_stop(_typed("all:", "hold", "stop", "")).undos
    for broken in ("", "everything", "user:U1"):
        with pytest.raises(UnknownApproval):
            stop_forms.read_stop(_typed(broken, "hold", "stop", ""))
    with pytest.raises(UnknownApproval):
        stop_forms.read_resume({"private_metadata": "{}", "state": {"values": {}}})
    view = {**stop_forms.resume_view(EVERY[0]), "state": {"values": {}}}
    assert stop_forms.read_resume(view) == (EVERY[0].id, False)


@given(st.text(max_size=2_000), st.text(max_size=200))
def test_no_reason_and_no_name_breaks_a_form_or_passes_for_markup(reason: str, name: str) -> None:
    one = stop("action", name, reason=reason)
    for view in (
        stop_forms.stop_view([one.scope, StopScope("all")], [one]),
        stop_forms.resume_view(one),
        stop_forms.stopped_view(one, words.known(1, 1, BEGAN, 1)),
        stop_forms.resumed_view(one),
    ):
        assert [one for one in check_view(view) if "value" not in one.pointer] == []
    home = home_stops([one], [one.id])
    assert check_message(home) == [] and "<!" not in words.line(one).replace("<!date^", "")


def test_only_what_somebody_may_resume_has_a_button(walk: Walk) -> None:
    blocks = stop_blocks(EVERY, {EVERY[1].id})
    assert [one["value"] for one in pressable(walk, blocks)] == [EVERY[1].id]
    assert home_stops((), ()) == [] and "Nothing is stopped" in str(stop_blocks((), ()))


def test_admins_are_told_of_each_step_in_its_own_words() -> None:
    first, staged = stop(undos=True), EVERY[2]
    over = replace(first, ended_at=BEGAN + 90 * SECOND, resumed_by="U0BEN")
    assert "is stopped* · by <@U0ANA>" in words.told_admins(first) and "may still run" in words.told_admins(
        first
    )
    assert "asked about* · resumed so by <@U0BEN>" in words.told_admins(staged)
    assert "is resumed* · by <@U0BEN>" in words.told_admins(over)
    assert "the operator" in words.told_admins(replace(over, resumed_by=OPERATOR))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MayNotStop(approvers=("U0ANA",)), "Only <@U0ANA> can stop that"),
        (MayNotStop(), "Only members of this workspace"),
        (SamePerson(), "somebody else has to resume it"),
        (NothingStopped(), "not stopped any more"),
        (TooManyStops(), "Stop more at once"),
        (Held(EVERY[0]), "nothing of billing-bot runs"),
    ],
)
def test_whoever_may_not_is_told_why(error: Exception, said: str) -> None:
    assert said in sentence(error, None, NOW)
    assert said in sentence(error, approval_of(SETS["stops"]["agent"]), NOW)


def _typed(scope: str, waits: str, undos: str, reason: str) -> JSON:
    chosen = {"scope": scope, "waits": waits, "undos": undos}
    found: JSON = {name: {"value": {"selected_option": {"value": value}}} for name, value in chosen.items()}
    return {**found, "reason": {"value": {"value": reason}}}
