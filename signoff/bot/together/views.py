"""One of several at a time, one reason for all, and what became of them: the smaller views; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signoff.approvals.errors import EditedMeanwhile
from signoff.approvals.left import why_left
from signoff.bot.cards.batch_after import counted
from signoff.bot.cards.batch_items import note_block
from signoff.bot.cards.batch_parts import button
from signoff.bot.cards.question import approve
from signoff.bot.forms.edit_form import can_edit
from signoff.bot.forms.frame import about_blocks, claims_blocks
from signoff.bot.forms.modals import reject_view
from signoff.bot.forms.review import pages, rows_of
from signoff.bot.text.quotes import isolated
from signoff.bot.text.states import state_line
from signoff.bot.text.text import Block, Trusted, cut, mrkdwn, plain, visible
from signoff.bot.text.views import BLOCK_CHARACTERS, BLOCK_ROWS, note, paragraph, says, stakes, warned
from signoff.bot.text.which import Which, titles
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.text.words import talks as talk_words
from signoff.bot.together.review import Looked, batch_modal
from signoff.models.approval import Approval
from signoff.models.batches import Left
from signoff.models.shown import digest_of

LEFT = 60
"""Requests that a result names one by one."""


def each_view(looked: Looked, at: int, approval: Approval, told: Trusted | None = None) -> Block:
    """One of them in full, with all that decides it, and the way to the next and the one before.

    `approval` is as this person may decide on it today; `told` is why they may not, where that is so.
    """
    at = min(max(at, 0), len(looked.asked) - 1)
    value = f"{approval.id}:{approval.version}"
    place = words.place_of(at + 1, len(looked.asked))
    blocks: list[Block] = [note_block("place", place), *about_blocks(approval)]
    rows = rows_of(approval)
    whole = pages(approval, rows)
    blocks += whole[0] or [note(card_words.EMPTY_PAYLOAD)]
    blocks += [{"type": "divider"}, stakes(approval), *claims_blocks(approval)]
    waits = told is None and looked.waits(at)
    short = len(rows) <= BLOCK_ROWS and sum(row.size for row in rows) <= BLOCK_CHARACTERS
    if waits:
        blocks += warned(approval, approval.payload)
        first = {**approve(approval, value), "action_id": "each_approve"}
        if len(whole) > 1:
            blocks.append(note_block("longer", words.REVIEW_ONE))
            first = button("each_review", card_words.REVIEW_MORE, value)
        ways = [first, button("each_reject", card_words.REJECT_MORE, value)]
        ways += [button("each_edit", card_words.EDIT_MORE, value)] if can_edit(approval, rows) else []
        blocks.append({"type": "actions", "block_id": "ways", "elements": ways})
    else:
        blocks.append(says(told or state_line(approval), "told"))
    blocks += [_turns(looked, at), _more(value, waits, short)]
    kept: dict[str, Any] = {"review": looked.review.id, "at": at, "from": looked.came_from}
    kept["digest"] = digest_of([approval])
    return batch_modal("batch_each", words.EACH_TITLE, blocks, **kept)


def reject_all_view(approval: Approval, count: int, about: str, digest: str = "") -> Block:
    """Which kind of rejection it is of all of them, and why: of a review, with the digest of what it has."""
    form = reject_view(approval)
    heading = note_block("many", words.reject_note(approval.agent, count))
    blocks = [heading, *form["blocks"][1:]]
    kept: dict[str, Any] = {"review": about, "count": count, "digest": digest}
    view = batch_modal("batch_reject", words.REJECT_TITLE, blocks, card_words.REJECT, **kept)
    return view | {"close": plain(forms_words.CANCEL), "clear_on_close": False}


def deciding_view(count: int, external_id: str = "") -> Block:
    """What stands there while many are decided. It has no button: nothing is pressed twice."""
    view = batch_modal("batch_deciding", words.DECIDING_TITLE, [paragraph(words.deciding(count))])
    return view | ({"external_id": external_id} if external_id else {})


def result_view(
    looked: Looked,
    vote: str,
    mine: int,
    left: Sequence[Left],
    *,
    resubmit: bool = False,
    broken: bool = False,
) -> Block:
    """How many this person decided, each that they did not reach with why, and how many still wait."""
    blocks: list[Block] = [
        says(words.broken_off(mine) if broken else words.done(vote, mine, resubmit), "done")
    ]
    if left and not broken:
        blocks.append(says(words.left(len(left)), "left"))
        blocks += _left(looked, left)
    waits = [at for at in range(len(looked.asked)) if looked.waits(at)]
    if waits:
        blocks.append(says(words.still_wait(len(waits)), "waits"))
    buttons = [button("batch_each", words.REVIEW_EACH, looked.value)] if waits else []
    if looked.came_from:
        buttons = [button("batch_each", words.BACK_TO_EACH, f"review:{looked.came_from}")]
    blocks += [{"type": "actions", "block_id": "ways", "elements": buttons}] if buttons else []
    return batch_modal("batch_result", words.RESULT_TITLE, blocks, review=looked.review.id)


def over_view(looked: Looked) -> Block:
    """How many of each, once none of them waits any more; and which of them others decided, and how."""
    blocks = [says(counted(looked.asked), "done")]
    left = missed(looked, None)
    if left:
        blocks += [says(words.left(len(left)), "left"), *_left(looked, left)]
    return batch_modal("batch_result", words.RESULT_TITLE, blocks, review=looked.review.id)


def missed(looked: Looked, seen: int | None, left: Sequence[Left] = ()) -> tuple[Left, ...]:
    """What a decision has not reached: `left`, and those of the first `seen` (None: of all) that others
    decided, changed or withdrew before it, in the order in which they are looked at.
    """
    user, found = looked.review.user_id, {one.approval_id: one for one in left}
    for at, one in enumerate(looked.asked[:seen]):
        theirs = one.decision is None or one.decision.approver != user
        if one.id not in found and not looked.waits(at) and theirs:
            found[one.id] = Left(one.id, why_left(EditedMeanwhile()) if one.pending else "")
    order = {one.id: at for at, one in enumerate(looked.asked)}
    return tuple(sorted(found.values(), key=lambda one: order.get(one.approval_id, len(order))))


def became(approval: Approval) -> Trusted:
    """What has become of one, where it waits no more; else that it waits, or is stopped."""
    if approval.pending and approval.stop is not None:
        return stop_words.holds(approval.stop)
    return words.STILL_WAITS if approval.pending else state_line(approval)


def _left(looked: Looked, left: Sequence[Left]) -> list[Block]:
    """A line for each: its number, what it is, and what has become of it, or why it was left out."""
    places = {one.id: at for at, one in enumerate(looked.asked)}
    known = [(places[one.approval_id], one.why) for one in left if one.approval_id in places][:LEFT]
    names = titles([Which.of(looked.asked[at]) for at, _ in known], 80)
    found: list[Block] = []
    for (at, why), name in zip(known, names, strict=True):
        one = looked.asked[at]
        said = [plain(cut(isolated(visible(why)), 300))] if one.pending and why else [mrkdwn(became(one))]
        parts = [plain(f"{looked.numbers[at]}. {name}"), *said]
        found.append({"type": "context", "block_id": f"left:{one.id}", "elements": parts})
    return found + ([note_block("more-left", words.more_items(len(left) - LEFT))] if len(left) > LEFT else [])


def _more(value: str, waits: bool, short: bool) -> Block:
    """What a card's ⋯ has for one of them; a note only where its form holds all of it, as on a card."""
    details = button("each_details", card_words.DETAILS_MORE, value)
    if not waits:
        return {"type": "actions", "block_id": "more", "elements": [details]}
    others = [button("each_note", card_words.NOTE_MORE, value)] if short else []
    others.append(button("each_ask", talk_words.ASK_MORE, value))
    return {"type": "actions", "block_id": "more", "elements": [*others, details]}


def _turns(looked: Looked, at: int) -> Block:
    """Previous, next, and the rest like this one."""
    buttons = []
    if at > 0:
        buttons.append(button("each_previous", words.PREVIOUS_ONE, str(at - 1)))
    if at + 1 < len(looked.asked):
        buttons.append(button("each_next", words.NEXT_ONE, str(at + 1)))
    if rest(looked, at):
        buttons.append(button("each_rest", words.REST_LIKE_THIS, str(at)))
    buttons = buttons or [button("each_next", words.NEXT_ONE, "0")]
    return {"type": "actions", "block_id": "turns", "elements": buttons}


def rest(looked: Looked, at: int) -> list[str]:
    """Ids of the others that wait and are like one of them: the same action, undone and rated alike."""
    this = looked.asked[at]
    return [
        one.id
        for place, one in enumerate(looked.asked)
        if place != at and looked.waits(place) and _kind(one) == _kind(this)
    ]


def _kind(one: Approval) -> tuple[str, str, str, str, str]:
    verdict = one.verdict
    known = (verdict.reversibility, verdict.reversibility_from, verdict.risk, verdict.risk_from)
    return (one.action, *known)
