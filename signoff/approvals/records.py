"""Before a decision is signed, the rows that it is about answer for themselves.

Whoever can write to the database could change a payload after its card stood. So what a person decides on is
compared with what was noted when it came: the id, which commits to action and payload, and the audit log's
lines, which nobody can change without breaking the chain.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, literal_column, null, select

from signoff.approvals.audit import events, salted
from signoff.approvals.audit.fits import Judged
from signoff.approvals.errors import Tampered
from signoff.models import changes, identity
from signoff.models.approval import Approval
from signoff.models.fixed import Fixed, Step, together
from signoff.models.stop_tables import ANYTHING
from signoff.models.store import now, payloads
from signoff.payload.canonical import digest

log = logging.getLogger("signoff.approvals")

_TEXTS = select(
    now().label("now"),
    changes.HOOKED,
    ANYTHING,
    literal_column("'text'").label("kind"),
    payloads.c.version.label("number"),
    payloads.c.text,
    payloads.c.salt,
    payloads.c.claims,
).where(payloads.c.approval_id == bindparam("approval_id"))
_LINES = select(
    now(),
    changes.HOOKED,
    ANYTHING,
    events.c.kind,
    events.c.seq,
    events.c.data,
    events.c.actor,
    cast(null(), Text),
).where(events.c.approval_id == bindparam("approval_id"))
_HELD = Fixed(_TEXTS.union_all(_LINES))
_RAN = (
    select(events.c.seq)
    .where(events.c.approval_id == bindparam("approval_id"), events.c.kind.in_(("spend", "outcome")))
    .limit(1)
)
ENDED = frozenset(("decision", "receipt", "expiry", "cancel", "adopted", "spend", "outcome"))
"""Lines after which nothing is decided any more, whatever the row says."""


@dataclass(frozen=True)
class Held:
    """What the database holds of an approval at `now`: its payload's versions, and its lines of the log.

    `hooked` says whether a webhook wants to hear of its end, `any_stop` whether anything is stopped.
    """

    now: int
    hooked: bool
    any_stop: bool
    texts: Sequence[Any]
    told: Sequence[Any]

    @property
    def salt(self) -> str:
        """The salt of its digests in the log; empty once its payload is erased."""
        return (self.texts[-1].salt if self.texts else None) or ""


def held(connection: Connection, approval_id: str, *before: Step) -> Held:
    """It, in one statement; what has to be run `before` goes with it, in one round trip."""
    *_, found = together(connection, *before, (_HELD, {"approval_id": approval_id}))
    rows = sorted(found, key=lambda row: row.number)
    texts = [row for row in rows if row.kind == "text"]
    if not rows:
        at, _, hooked = changes.before_end(connection, approval_id)
        return Held(at, hooked, True, (), ())
    told = [row for row in rows if row.kind != "text"]
    return Held(int(rows[0].now), bool(rows[0].hooked), bool(rows[0].any_stop), texts, told)


def check(found: Held, approval: Approval) -> None:
    """Raise Tampered unless an Approval waits for just what was asked, by the log as well as by its rows.

    `approval` is as its row has it. Every version of the payload is the one that was asked for or corrected,
    the id the one of that, the verdict the one that was given, and no line tells of an end.
    """
    texts, told = found.texts, found.told
    noted = [json.loads(line.text) for line in told if line.kind in ("submit", "edit")]
    judged = _judged(found)
    kept = [
        {"version": one.number, "payload": salted(one.salt or "", one.text or "")}
        | ({"claims": salted(one.salt or "", one.claims or "")} if one.number == 1 else {})
        for one in texts
    ]
    sent = digest(texts[0].text or "") if texts else ""
    made = identity.request_id(
        approval.request.kind, approval.agent, approval.action, sent, approval.request.nonce
    )
    whole = (
        sent == approval.digest_sent
        and str(made) == approval.request_id == approval.id
        and [one.number for one in texts] == list(range(1, approval.version + 1))
        and texts[-1].text == approval.payload_text
        and [line.kind for line in told].count("submit") == 1
        and noted[0].get("action") == approval.action
        and kept == [{name: line.get(name) for name in one} for one, line in zip(kept, noted, strict=False)]
        and len(kept) == len(noted)
        and not any(line.kind in ENDED for line in told)
        and judged is not None
        and judged.fits(approval.verdict.model_dump_json())
        and _voted(told, texts[-1].salt or "")
        == [(one.approver, one.vote, salted(texts[-1].salt or "", one.name)) for one in approval.decisions]
    )
    if not whole:
        log.error("rows were changed behind Signoff's back: id=%s; see `signoff audit verify`", approval.id)
        raise Tampered


def _judged(found: Held) -> Judged | None:
    """The last verdict that was given, with the salt of its day."""
    last, salts = None, {one.number: one.salt for one in found.texts}
    version = 1
    for line in found.told:
        if line.kind == "verdict":
            last = Judged(json.loads(line.text), salts.get(version))
        elif line.kind == "edit":
            data = json.loads(line.text)
            version = data["version"]
            last = Judged(data["verdict"], salts.get(version)) if "verdict" in data else last
    return last


def _voted(told: Sequence[Any], salt: str) -> list[tuple[str, str, str]]:
    """Who has voted by the log, how, and the digest of their name: the votes that stand, in their order."""
    stand: dict[tuple[str, int], tuple[str, str, str]] = {}
    version = 1
    for line in told:
        data = json.loads(line.text) if line.kind in ("vote", "void", "edit") else {}
        match line.kind:
            case "edit":
                version = data["version"]
            case "vote":
                stand[line.salt, data["version"]] = (line.salt, data["vote"], data["name"])
            case "void":
                stand.pop((data["by"], data["version"]), None)
    return [vote for (_, of), vote in stand.items() if of == version]


def has_run(connection: Connection, approval: Approval) -> bool:
    """Whether the log tells that an Approval's action runs, or has run; its row may have been changed."""
    return connection.execute(_RAN, {"approval_id": approval.id}).first() is not None
