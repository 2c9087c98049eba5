"""A pending Approval waits on: with another vote, with one less, or with another payload.

One transaction each, compare-and-set on the version and on the number of votes that were seen.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from signoff.approvals import audit, records
from signoff.approvals.audit import Event, frozen, lines
from signoff.approvals.ballots import Ballot
from signoff.approvals.transitions import Moved, glimpse_of, new_salt, stand, void
from signoff.models import ballots, batch_rows, changes, doubles, sums, votes
from signoff.models.approval import Approval
from signoff.models.doubles import Place
from signoff.models.fixed import Step
from signoff.models.messages import Decision, moment
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical


def keep(
    connection: Connection,
    approval: Approval,
    ballot: Ballot,
    judged: Verdict,
    decision: Decision,
    *,
    channel: str,
) -> Approval:
    """A vote that ends nothing, or a payload that somebody has changed (`decision.payload`): it waits on.

    `judged` is the verdict on a changed payload. Raises Moved where the row is no longer as `approval` says,
    and Tampered as `transitions.end`.
    """
    before, edited, by = approval, decision.payload is not None, decision.approver
    found = records.held(connection, approval.id, *_stirred(approval))
    at, salt = found.now, found.salt
    if decision.payload is not None:
        text = canonical(decision.payload)
        approval = replace(
            approval,
            version=approval.version + 1,
            payload=decision.payload,
            payload_text=text,
            verdict=judged,
            editors=(*approval.editors, by),
        )
    _move(connection, before, approval)
    records.check(found, before)
    events = void(connection, before, ballot, at, by)
    if edited:
        salt = new_salt()
        changes.add_payload(connection, approval.id, approval.version, approval.payload_text, salt, by)
        events.append(Event("edit", approval.id, at, by, lines.edited_line(approval, salt, by)))
        events += _elsewhere(connection, before, approval, at, by, channel)
        sums.change(connection, approval, before.verdict)
    vote = ballot.decision and ballot.decision.model_copy(update={"at": moment(at)})
    if vote:
        data = {"version": approval.version, **lines.voted(vote, salt)}
        events.append(Event("vote", approval.id, at, by, data))
        votes.add(connection, approval.id, approval.version, vote, at)
    audit.append(connection, *events)
    standing = stand(before, ballot, edited)
    return replace(
        approval,
        revision=approval.revision + 1,
        ballots=approval.ballots + 1,
        decisions=(*standing, vote) if vote else standing,
    )


def take_back(connection: Connection, approval: Approval, approver: str) -> None:
    """Somebody's vote counts no more, as they wish; raises as `keep`."""
    found = records.held(connection, approval.id, *_stirred(approval))
    _move(connection, approval, approval)
    records.check(found, approval)
    if not votes.void(connection, approval.id, approval.version, approver, found.now, "taken_back"):
        raise Moved
    told = lines.void(approver, approval.version, "taken_back")
    audit.append(connection, Event("void", approval.id, found.now, approver, told))


def _stirred(approval: Approval) -> list[Step]:
    """Its batch's row first, as whoever freezes it does."""
    return [] if approval.batch_id is None else [batch_rows.stirred(approval.batch_id)]


def _move(connection: Connection, before: Approval, after: Approval) -> None:
    edited = after.version != before.version
    values = {
        "counted": before.ballots,
        "to_version": after.version,
        "to_verdict": after.verdict.model_dump_json(),
        "to_glimpse": glimpse_of(after) if edited else None,
        "to_conversation": after.verdict.conversation if edited else None,
    }
    if not ballots.vote(connection, before.id, before.version, values):
        raise Moved


def _elsewhere(
    connection: Connection, before: Approval, after: Approval, at: int, by: str, channel: str
) -> list[Event]:
    """Its card goes where those are who decide on it now: out of its batch, and to their conversation."""
    if before.batch_id is not None:
        batch_rows.leave(connection, after.id, channel)
        return [Event("batch", after.id, at, by, frozen.left(before.batch_id))]
    card, where = before.card, after.verdict.conversation
    if card is None or where == before.verdict.conversation:
        return []
    if card.conversation and card.message:
        place = Place(card.conversation, card.message, card.thread)
        doubles.add(connection, after.id, place, moved=True)
    ballots.leave_card(connection, after.id)
    return [Event("moved", after.id, at, by, {"card": card.id, "conversation": where})]
