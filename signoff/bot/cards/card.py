"""Approval → Block Kit: the card, its buttons and its notification; pure.

What was checked stands first: the action, who may decide and until when, the payload, what Signoff knows of
reversibility and risk. The agent's own words come last. No Approve stands on a card that does not show
the payload in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.bot.blocks import MESSAGE_TOTAL
from signoff.bot.cards.feedback_parts import feedback_blocks, feedback_line
from signoff.bot.cards.menu import Choice, beside, menu, menu_after, rest_view, token
from signoff.bot.cards.question import approve
from signoff.bot.cards.report_card import report_blocks, report_text
from signoff.bot.cards.stopped import stopped_blocks
from signoff.bot.cards.table import counted, payload_blocks
from signoff.bot.forms.edit_form import can_edit
from signoff.bot.text import talks
from signoff.bot.text.cautions import caution_lines
from signoff.bot.text.claims import said
from signoff.bot.text.fold import Folded, fold, on_card, values_of
from signoff.bot.text.heading import heading
from signoff.bot.text.memory import recalled
from signoff.bot.text.payload import Value
from signoff.bot.text.results import outcome_blocks
from signoff.bot.text.seating import changed_blocks, votes_blocks
from signoff.bot.text.spoken import spoken, unlinked
from signoff.bot.text.states import outcome_line, state_blocks, state_line
from signoff.bot.text.text import Block, Trusted, mrkdwn, plain, rich, visible
from signoff.bot.text.views import says
from signoff.bot.text.views import title as header
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import batches as batch_words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import factors as factor_words
from signoff.bot.text.words import notifications as notices
from signoff.bot.text.words import progress as progress_words
from signoff.bot.text.words import replies as replies_words
from signoff.bot.text.words import seats as seats_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.text.words import talks as talk_words
from signoff.bot.text.words import times
from signoff.bot.text.words import undo as undo_words
from signoff.bot.text.words.questions import HAND_MORE
from signoff.bot.text.words.schema import unusable
from signoff.models.approval import Approval

_BUDGETS = ((700, 8, 700), (200, 3, 300), (60, 1, 100))
"""Characters and lines of claims, and characters of what approvers wrote, until all of it fits."""
_AFTER = (600, 8)
"""Characters and lines of a payload once it is decided: what is left to do is to know it again."""


MENU = 4
"""Choices of the menu beside which there is room for handing it on; *Details…* has it always."""
NOTIFIED = 100
"""Characters of a payload's first values in a notification."""


@dataclass(frozen=True)
class Message:
    """What chat.postMessage takes. `text` is mrkdwn, and all that a notification or a screen reader gets."""

    text: str
    blocks: list[Block]
    metadata: dict[str, Any]


@dataclass(frozen=True)
class _Known:
    """What is found out once for a card that waits: each looks through the whole payload."""

    editable: bool = False
    warning: str = ""
    before: tuple[Block, ...] = ()

    @classmethod
    def of(cls, approval: Approval, found: Sequence[Value]) -> _Known:
        return cls(
            can_edit(approval, [row for value in found for row in value.all_rows]),
            caution_lines(approval.request, approval.payload),
            tuple(recalled(approval.rejected, approval.payload)),
        )


def parse_token(value: str) -> tuple[str, int]:
    """A button's value → (approval id, version); raises UnknownApproval."""
    approval_id, _, version = value.rpartition(":")
    if not approval_id or not version.isascii() or not version.isdigit() or len(version) > 9:
        raise UnknownApproval()
    return approval_id, int(version)


def metadata(approval: Approval) -> dict[str, Any]:
    """How a card is found again by programs. Slack: any app in the workspace reads it."""
    payload = {"approval_id": approval.id, "version": approval.version}
    return {"event_type": "signoff_approval", "event_payload": payload}


def card(approval: Approval, *, now: int | None = None) -> Message:
    """The card for an approval in any state.

    `now` is the database's clock, in microseconds since 1970: past `expires_at` there are no buttons, even
    before the expiry is recorded.
    """
    if approval.verdict.effect == "notify" and approval.status == "approved":
        return Message(report_text(approval, now), report_blocks(approval, now), metadata(approval))
    waits = approval.pending and (now is None or now < approval.expires_at)
    found = values_of(approval)
    known = _Known.of(approval, found) if waits else _Known()
    folded = on_card(found) if waits else fold(found, *_AFTER)
    for characters, lines, room in _BUDGETS:
        if waits:
            claims = said(approval, characters, lines)
            blocks = _waiting(approval, folded, claims, known, talks.on_card(approval, characters))
        else:
            blocks = _over(approval, folded, room, now)
        if counted(blocks) <= MESSAGE_TOTAL:
            break
    return Message(_text(approval, folded, known if waits else None, now), blocks, metadata(approval))


def double(approval: Approval, *, now: int | None = None, moved: bool = False) -> Message:
    """What takes the place of a message that stands beside the card: no buttons, and where the card is.

    `moved`: it was the card, until others had to decide on what somebody has changed. What has become of the
    approval is said where that is over: it does not change any more.
    """
    waits = approval.pending and (now is None or now < approval.expires_at)
    what = unlinked(trusted_title(Which.of(approval), NOTIFIED))
    link = approval.card.permalink if approval.card else None
    editor = approval.editors[-1] if approval.editors else ""
    told = seats_words.handed_over(editor, link) if moved else notices.stands_elsewhere(link)
    lines = [told] if waits else [state_line(approval), told]
    text = notices.asked(approval.agent, what, *lines)
    title = header(heading(approval))
    blocks: list[Block] = [{"type": "header", "block_id": f"header:{approval.revision}", "text": title}]
    for number, said_of_it in enumerate(lines):
        block_id = f"double-{number}:{approval.revision}"
        blocks.append({"type": "section", "block_id": block_id, "text": mrkdwn(said_of_it), "expand": True})
    about = metadata(approval)
    return Message(text, blocks, {**about, "event_payload": {**about["event_payload"], "double": True}})


def lost() -> Message:
    """What takes the place of a card whose approval is in no row any more."""
    block: Block = {"type": "section", "text": mrkdwn(replies_words.LOST_CARD), "expand": True}
    return Message(replies_words.LOST_CARD, [block], {})


def _waiting(
    approval: Approval, folded: Folded, claims: list[Block], known: _Known, talk: list[Block]
) -> list[Block]:
    """What decides, in the order in which people read it, and the buttons below."""
    revision, verdict = approval.revision, approval.verdict
    asks = mrkdwn(card_words.asks(approval.agent, times.people(approval), approval.expires_at, approval.code))
    if verdict.in_grace:
        people = card_words.audience(verdict.approvers)
        asks = mrkdwn(undo_words.about(approval.agent, approval.code, people))
    found = [*_head(approval, asks)]
    found += stopped_blocks(approval)
    if verdict.in_grace and approval.stop is None:
        found.append(says(undo_words.allows(approval.runs_at, verdict.after or 0), f"runs:{revision}"))
    told = [*times.lines(approval)]
    if told:
        found.append(_context(f"times:{revision}", *map(mrkdwn, told)))
    found += [*votes_blocks(approval), *changed_blocks(approval)]
    if verdict.held_by:
        found.append(_context(f"held:{revision}", mrkdwn(undo_words.held_by(verdict.held_by))))
    if approval.left_at is not None:
        found.append(_context(f"left:{revision}", mrkdwn(progress_words.left(approval.left_at))))
    if verdict.over:
        found.append(_context(f"over:{revision}", plain(card_words.asks_as(visible(verdict.over)))))
    if known.before:
        found.append(_context(f"before:{revision}", *known.before))
    found += [{"type": "divider"}, *_payload_blocks(revision, folded)]
    if not folded.whole and approval.stop is None:
        found.append(_context(f"folded:{revision}", plain(card_words.FOLDED)))
    if approval.request.schema_left_out:
        found.append(_context(f"schema:{revision}", plain(unusable(approval.request.schema_gaps))))
    at_stake = card_words.stakes(
        verdict.reversibility, verdict.reversibility_from, verdict.risk, verdict.risk_from
    )
    found += [
        {"type": "divider"},
        says(at_stake, f"stakes:{revision}"),
        rich(f"claims:{revision}", *claims),
        *talk,
    ]
    if verdict.asks_proof and not verdict.in_grace:
        wanted = factor_words.wants(verdict.second_factor is not None, verdict.confirm)
        found.append(_context(f"proof:{revision}", plain(wanted)))
    if known.warning:
        found.append(_context(f"warning:{revision}", plain(known.warning)))
    return [*found, _actions(approval, folded.whole, known.editable)]


def _over(approval: Approval, folded: Folded, room: int, now: int | None) -> list[Block]:
    """What became of it, and enough of it to know it again; half as tall as while it waited."""
    asked = mrkdwn(card_words.asked(approval.agent, approval.created_at, approval.code))
    return [
        *_head(approval, asked),
        *beside(state_blocks(approval, room, now), menu_after(approval)),
        *_payload_blocks(approval.revision, folded),
        *outcome_blocks(approval, room),  # after what ran: nothing of ours stands below its heading
        *feedback_blocks(approval, room, now),
    ]


def _head(approval: Approval, about: Block) -> list[Block]:
    """The header, the same in every state, and the line below it."""
    headline, revision = visible(approval.verdict.headline or ""), approval.revision
    title = header(headline or approval.action)
    parts = [*([plain(approval.action)] if headline else []), about]
    return [
        {"type": "header", "block_id": f"header:{revision}", "text": title},
        _context(f"about:{revision}", *parts),
    ]


def _context(block_id: str, *parts: Block) -> Block:
    return {"type": "context", "block_id": block_id, "elements": list(parts)}


def _payload_blocks(revision: int, folded: Folded) -> list[Block]:
    found = payload_blocks(folded.rows, f"payload:{revision}")
    return found or [_context(f"payload:{revision}", plain(card_words.EMPTY_PAYLOAD))]


def _actions(approval: Approval, whole: bool, editable: bool) -> Block:
    value, buttons, choices = token(approval), list[Block](), choices_of(approval, whole)
    if approval.verdict.in_grace:
        buttons.append(_button("hold", undo_words.HOLD, value))
    elif whole:
        buttons.append(approve(approval, value))
    if not whole:
        buttons.append(_button("review", card_words.REVIEW_MORE, value))
    if not approval.verdict.in_grace:
        buttons.append(_button("reject", card_words.REJECT_MORE, value))
        buttons += [_button("edit", card_words.EDIT_MORE, value)] if editable else []
        buttons += [_button("take_back", seats_words.TAKE_BACK, value)] if approval.decisions else []
    elements = [*(buttons if approval.stop is None else []), menu(approval, *choices)]
    return {"type": "actions", "block_id": f"actions:{approval.revision}", "elements": elements}


def choices_of(approval: Approval, whole: bool) -> tuple[Choice, ...]:
    """What the menu of a card that waits offers besides; `whole` where the card shows all of it."""
    if approval.verdict.in_grace or approval.stop is not None:
        return ()
    note = [("note", card_words.NOTE_MORE)] if whole else []
    alike = [("alike", batch_words.review_together(approval.alike))] if approval.alike > 1 else []
    return (*note, ("ask", talk_words.ASK_MORE), ("hand", HAND_MORE), *alike)


def more_view(approval: Approval) -> Block:
    """*More…*: what has no room in the menu."""
    return rest_view(approval, choices_of(approval, on_card(values_of(approval)).whole))


def _button(action_id: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}


def _text(approval: Approval, folded: Folded, known: _Known | None, now: int | None) -> Trusted:
    """What is heard; `known` where it waits."""
    verdict = approval.verdict
    what = unlinked(trusted_title(Which.of(approval), NOTIFIED))
    if known is not None:
        named = bool(verdict.headline)
        if verdict.in_grace:
            told = undo_words.allows(approval.runs_at, verdict.after or 0)
            told = stop_words.holds(approval.stop) if approval.stop is not None else told
            first = undo_words.will_run(approval.agent, what, told)
            return spoken(first, approval, folded, False, known.warning, known.before)
        first = notices.asks(approval.agent, what, approval.expires_at, now, named=named)
        return spoken(first, approval, folded, known.editable, known.warning, known.before)
    more = (outcome_line(approval, now), feedback_line(approval, now))
    lines = [state_line(approval), *(one for one in more if one is not None)]
    return notices.asked(approval.agent, what, *(Trusted(line.replace("*", "")) for line in lines))
