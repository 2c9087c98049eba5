"""Before a decision is signed, the rows that it is about answer for themselves.

Whoever can write to the database could change a payload after its card stood. So what a person decides on is
compared with what was noted when it came: the id, which commits to action and payload, and the audit log's
lines, which nobody can change without breaking the chain.
"""

from __future__ import annotations

import json
import logging

from sqlalchemy import Connection, bindparam, select

from signoff.approvals.audit import events, salted
from signoff.approvals.errors import Tampered
from signoff.models import identity
from signoff.models.approval import Approval
from signoff.models.store import payloads
from signoff.payload.canonical import digest

log = logging.getLogger("signoff.approvals")

_TEXTS = (
    select(payloads.c.version, payloads.c.text, payloads.c.salt, payloads.c.claims)
    .where(payloads.c.approval_id == bindparam("approval_id"))
    .order_by(payloads.c.version)
)
_LINES = (
    select(events.c.kind, events.c.data)
    .where(events.c.approval_id == bindparam("approval_id"), events.c.kind.in_(("submit", "edit")))
    .order_by(events.c.seq)
)


def check(connection: Connection, approval: Approval) -> None:
    """Raise Tampered unless every version of the payload is the one that was asked for or corrected."""
    key = {"approval_id": approval.id}
    texts = connection.execute(_TEXTS, key).all()
    lines = connection.execute(_LINES, key).all()
    asked = max((at for at, line in enumerate(lines) if line.kind == "submit"), default=0)
    noted = [json.loads(line.data) for line in lines[asked:]]  # what was lost is asked for anew
    held = [
        {"version": one.version, "payload": salted(one.salt or "", one.text or "")}
        | ({"claims": salted(one.salt or "", one.claims or "")} if one.version == 1 else {})
        for one in texts
    ]
    sent = digest(texts[0].text or "") if texts else ""
    made = identity.request_id(
        approval.request.kind, approval.agent, approval.action, sent, approval.request.nonce
    )
    whole = (
        sent == approval.digest_sent
        and str(made) == approval.request_id
        and [one.version for one in texts] == list(range(1, approval.version + 1))
        and texts[-1].text == approval.payload_text
        and noted
        and noted[0].get("action") == approval.action
        and held == [{name: line.get(name) for name in one} for one, line in zip(held, noted, strict=False)]
        and len(held) == len(noted)
    )
    if not whole:
        log.error("rows were changed behind Signoff's back: id=%s; see `signoff audit verify`", approval.id)
        raise Tampered
