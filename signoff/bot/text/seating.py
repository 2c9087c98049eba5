"""Seats and votes of what waits, as a card shows them and as it is heard; pure."""

from __future__ import annotations

from collections.abc import Iterator

from signoff.approvals import exclusions, quorum
from signoff.approvals.seats import waiting_for
from signoff.bot.text.difference import changes as each_change
from signoff.bot.text.difference import elements as difference_elements
from signoff.bot.text.prose import prose
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, Trusted, cut, is_id, mrkdwn, plain, rich
from signoff.bot.text.words import seats as words
from signoff.models.approval import Approval

SAID = 300
"""Characters of why somebody said no, on a card that waits."""
DIFFERENCE = 1200
"""Characters of what was changed."""


def asked_of(approval: Approval) -> tuple[str, ...]:
    """Those whom a card mentions: all who could still fill a seat, and nobody who has voted."""
    if not approval.decisions:
        return approval.verdict.approvers
    found = [one for seat in waiting_for(approval) for one in seat.people]
    return tuple(dict.fromkeys(found)) or approval.verdict.approvers


def seats_line(approval: Approval) -> Trusted | None:
    """Each seat with those who have filled it, and whom it waits for; None of one place that nobody has."""
    verdict = approval.verdict
    if verdict.places == 1 and not any(one.vote == "approve" for one in approval.decisions):
        return None
    counted = quorum.counted(approval)
    told = [
        words.seat(seat.named, seat.need, [one.approver for one in counted.seated if one.seat == seat.name])
        for seat in quorum.seats_of(verdict)
    ]
    waits = [seat.named for seat in waiting_for(approval)]
    return Trusted(" · ".join([*told, *([words.waits_for(waits)] if waits else [])]))


def votes_blocks(approval: Approval) -> list[Block]:
    """What a card that waits says of votes, below the line under its header."""
    revision, found = approval.revision, list[Block]()
    line = seats_line(approval)
    if line is not None:
        found.append(_context(f"seats:{revision}", mrkdwn(line)))
    for number, (told, reason) in enumerate(_noes(approval)):
        parts = [mrkdwn(told), *([plain(isolated(reason))] if reason else [])]
        found.append(_context(f"no-{number}:{revision}", *parts))
    notes = [*_notes(approval)]
    if notes:
        found.append(_context(f"votes:{revision}", *(mrkdwn(one) for one in notes[:10])))
    return found


def changed_blocks(approval: Approval) -> list[Block]:
    """What a person has changed of what waits."""
    if not approval.edited:
        return []
    revision = approval.revision
    found: list[Block] = []
    if approval.editors:
        block_id = f"changed:{revision}"
        text = mrkdwn(words.changed(approval.editors[-1]))
        found.append({"type": "section", "block_id": block_id, "text": text, "expand": True})
    changes = each_change(approval.request.payload, approval.payload)
    parts, _ = difference_elements(changes, DIFFERENCE, 200)
    return [*found, rich(f"difference:{revision}", *parts)] if parts else found


def votes_heard(approval: Approval) -> list[tuple[Trusted, str]]:
    """The same as lines of the message's text, each with what somebody wrote behind it, if they did."""
    line = seats_line(approval)
    changed = [words.changed(approval.editors[-1])] if approval.edited and approval.editors else []
    ours = [(one, "") for one in (*changed, *([line] if line else []))]
    notes = [(one, "") for one in _notes(approval)]
    return [(Trusted(one.replace("*", "")), reason) for one, reason in (*ours, *_noes(approval), *notes)]


def next_vote(approval: Approval) -> tuple[int, int]:
    """Which vote comes next, and how many it takes."""
    return len(quorum.counted(approval).seated) + 1, approval.verdict.places


def _noes(approval: Approval) -> Iterator[tuple[Trusted, str]]:
    for one in approval.decisions:
        if one.vote == "reject":
            reason = cut(prose(one.reason), SAID) if one.reason.strip() else ""
            yield words.said_no(one.approver), reason


def _notes(approval: Approval) -> Iterator[Trusted]:
    """Whose votes are void, who may not approve, and how many it takes to reject it."""
    editor = approval.editors[-1] if approval.editors else ""
    for one in approval.voided:
        if (one.why, one.version) in (("edited", approval.version - 1), ("lost", approval.version)):
            yield words.void(one.approver, one.why, editor)
    if barred := _barred(approval):
        yield words.cannot(barred, approval.agent)
    if approval.verdict.reject > 1:
        yield words.to_reject(approval.verdict.reject)


def _barred(approval: Approval) -> list[tuple[str, str]]:
    """Who may not approve, as far as the request itself tells: its agent's owner stands in the policy."""
    verdict = approval.verdict
    found: list[tuple[str, str]] = []
    requester = exclusions.requester_of(approval.request)
    if "requester" in verdict.exclude and requester and is_id(requester):
        found.append((requester, "requester"))
    if "editor" in verdict.exclude and not verdict.exclude_by_default:
        found += [(one, "editor") for one in dict.fromkeys(approval.editors)]
    return found


def _context(block_id: str, *parts: Block) -> Block:
    return {"type": "context", "block_id": block_id, "elements": list(parts)}
