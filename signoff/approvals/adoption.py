"""An end that only a receipt tells, as the database was put back: its row takes it up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from signoff.approvals import audit, epochs
from signoff.approvals.audit import Event, lines, salted
from signoff.approvals.transitions import Moved, glimpse_of, new_salt
from signoff.models import batch_rows, changes, outbox, store, sums, votes
from signoff.models.approval import Approval
from signoff.models.messages import Decision, Vote
from signoff.models.receipt import Receipt
from signoff.models.store import MICROSECONDS
from signoff.payload.canonical import canonical

VOTES: Mapping[str, Vote] = {"approved": "approve", "answered": "answer"}
"""By which vote a receipt says that it ended; all others that somebody has decided are rejections."""


def adopt(connection: Connection, approval: Approval, receipt: Receipt) -> Approval:
    """Pending → as a receipt says that a backup does not know of; raises Moved where it is not pending.

    The receipt is verified, and is for this approval's payload: decided once, it is not decided again.
    """
    if approval.batch_id is not None:
        batch_rows.stir(connection, approval.batch_id)
    at, salt, hooked = changes.before_end(connection, approval.id)
    by, text = receipt.decided_by, approval.payload_text
    ended_at = round((by.at if by else receipt.issued_at).timestamp() * MICROSECONDS)
    values = {
        "to_status": receipt.status,
        "to_version": receipt.version,
        "to_verdict": approval.verdict.model_dump_json(),
        "to_glimpse": glimpse_of(replace(approval, payload=receipt.payload)) if receipt.payload else None,
        "why": receipt.reason,
        "at": ended_at,
        "token": receipt.token,
        "token_end": int(receipt.not_after.timestamp()) * MICROSECONDS,
    }
    closed_in = epochs.closing(connection, receipt)
    if not changes.adopt(connection, approval.id, values | {"closed": closed_in}):
        raise Moved
    final = replace(approval, payload=receipt.payload or approval.payload)
    sums.settle(connection, final, receipt.status, ended_at)
    if hooked:
        outbox.add(connection, approval.id, at)
    events, voted = [], None
    if receipt.version > approval.version:
        text, salt = canonical(receipt.payload), new_salt()
        editor = by.id if by else None  # of several edits only the last one is known
        changes.add_payload(connection, approval.id, receipt.version, text, salt, editor)
        edited = {"version": receipt.version, "payload": salted(salt, text), "by": editor}
        events.append(Event("edit", approval.id, at, by.id if by else "signoff", edited))
    if by:
        decision = Decision(
            vote=VOTES.get(receipt.status, "reject"),
            approver=by.id,
            name=by.name,
            reason=receipt.reason,
            resubmit=receipt.resubmit,
            second_factor=by.second_factor,
            answer=receipt.answer,
        )
        votes.add(connection, approval.id, receipt.version, decision, ended_at)
        voted = lines.voted(decision, salt)
    told = {
        "status": receipt.status,
        "version": receipt.version,
        "by": by.id if by else None,
        "voted": voted,
        "decided_at": ended_at,
        "closed_in": closed_in,
        "expires": values["token_end"],
        "reason": salted(salt, receipt.reason),
        "jti": receipt.jti,
        "signed": hashlib.sha256(receipt.token.encode()).hexdigest(),
    }
    audit.append(connection, *events, Event("adopted", approval.id, at, "signoff", told))
    adopted = store.load(connection, approval.id)
    assert adopted is not None
    return adopted
