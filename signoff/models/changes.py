"""What may be written, and only from which state: inserts and compare-and-set updates."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Text,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from signoff.models import outbox
from signoff.models.fixed import Fixed
from signoff.models.progress import FIRST
from signoff.models.store import agents, approvals, cards, now, payloads
from signoff.models.tables import ThreadRow

threads = ThreadRow.__table__  # type: ignore[attr-defined]

_OPEN = (approvals.c.id == bindparam("approval_id"), approvals.c.status == "pending")
# An undo has no card that could tell its age: that of what it undoes does.
_AGES = (bindparam("to_status") == literal_column("'approved'")) & approvals.c.undoes.is_(None)
_ENDED = {
    "status": bindparam("to_status"),
    "version": bindparam("to_version"),
    "verdict": bindparam("to_verdict"),
    "glimpse": func.coalesce(bindparam("to_glimpse", type_=Text), approvals.c.glimpse),
    "revision": approvals.c.revision + 1,
    "reason": bindparam("why"),
    "ended_at": bindparam("at"),
    "receipt": bindparam("token"),
    "receipt_expires_at": bindparam("token_end"),
    "not_before": 0,
    "ages_at": case((_AGES, bindparam("at", type_=BigInteger) + FIRST), else_=None),
}
IN_TIME = (*_OPEN, approvals.c.version == bindparam("seen"), approvals.c.expires_at > now())
COUNTED = approvals.c.ballots == func.coalesce(bindparam("counted", type_=Integer), approvals.c.ballots)
"""Whoever decides by votes has counted all of them."""
_DECIDE = Fixed(update(approvals).where(*IN_TIME, COUNTED).values(**_ENDED))
_EXPIRE = update(approvals).where(*_OPEN, approvals.c.expires_at <= now()).values(**_ENDED)
_ADOPT = (
    update(approvals)
    .where(*_OPEN)
    .values({**_ENDED, "published_at": now(), "closed_in": bindparam("closed")})
)
_REPORT = (
    update(approvals)
    .where(
        approvals.c.id == bindparam("approval_id"),
        approvals.c.status == "approved",
        approvals.c.outcome.is_(None),
    )
    .values(
        outcome=bindparam("what"),
        outcome_at=now(),
        revision=approvals.c.revision + 1,
        not_before=0,
        ages_at=None,
    )
)
_SPEND = (
    update(approvals)
    .where(
        approvals.c.id == bindparam("approval_id"),
        approvals.c.status == "approved",
        approvals.c.spent_at.is_(None),
        approvals.c.outcome.is_(None),
    )
    .values(
        spent_by=bindparam("by"),
        spent_at=bindparam("at"),
        # What was let through without anybody being asked may have no card, and then none is due.
        revision=approvals.c.revision
        + case(
            (
                approvals.c.shown_at.is_(None) & (approvals.c.delivered_revision >= approvals.c.revision),
                literal_column("0"),
            ),
            else_=literal_column("1"),
        ),
    )
)
_SHOWN = (
    update(cards)
    .where(cards.c.id == bindparam("card_id"))
    .values(
        conversation=bindparam("to_conversation"),
        message=bindparam("to_message"),
        thread=bindparam("to_thread"),
        permalink=bindparam("link"),
        shown_revision=bindparam("revision"),
        unsure=bindparam("still_unsure"),
        fault=None,
    )
)
_LEASED = (cards.c.lease == bindparam("mine"), cards.c.lease_until > literal_column("1"))
"""By its number: whoever took it since has another one."""
_SHOWN_BY = _SHOWN.where(*_LEASED, cards.c.shown_revision <= bindparam("revision"))
_PLACE = select(cards.c.conversation, cards.c.message).where(cards.c.id == bindparam("card_id"))
_MOVED = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"))
    .values(revision=approvals.c.revision + 1, not_before=0)
)
_FIRST_SHOWN = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"), approvals.c.shown_at.is_(None))
    .values(shown_at=now())
)
_DELIVERED = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"), approvals.c.delivered_revision < bindparam("to"))
    .values(delivered_revision=bindparam("to"))
)
_DELIVERED_ALREADY = _DELIVERED.where(
    exists().where(cards.c.approval_id == approvals.c.id, cards.c.shown_revision >= bindparam("to"))
)
_STIRRED = (
    update(threads)
    .where(threads.c.conversation == bindparam("where"), threads.c.message == bindparam("first"))
    .values(revision=threads.c.revision + 1)
)
_POSTPONE = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"))
    .values(not_before=now() + bindparam("pause"))
)
_POSTPONE_BY = _POSTPONE.where(exists().where(cards.c.approval_id == approvals.c.id, *_LEASED))
_FAULT = (
    update(cards)
    .where(
        cards.c.approval_id == bindparam("card_of"),
        cards.c.fault.is_(None) | (cards.c.fault != bindparam("what")),
    )
    .values(fault=bindparam("what"))
)
_FAULT_BY = _FAULT.where(*_LEASED)
_SAME_FAULT = (
    select(cards.c.id)
    .join(approvals, approvals.c.id == cards.c.approval_id)
    .where(
        approvals.c.delivered_revision < approvals.c.revision,  # so is every card with a fault, by an index
        cards.c.fault == bindparam("what"),
        cards.c.approval_id != bindparam("card_of"),
    )
    .limit(1)
)
_NOW = select(now())
_ADD_AGENT = insert(agents)
_MEET_AGENT = text(
    "INSERT INTO agent (name, owner, created_at) VALUES (:name, :owner, :created_at) "
    "ON CONFLICT (name) DO NOTHING"
)
_ADD_APPROVAL = insert(approvals)
_ADD_CARD = insert(cards)
_ADD_PAYLOAD = insert(payloads)
_SALT = (
    select(payloads.c.salt)
    .where(payloads.c.approval_id == bindparam("approval_id"))
    .order_by(payloads.c.version.desc())
    .limit(1)
)
_AGENT = select(approvals.c.agent).where(approvals.c.id == bindparam("approval_id"))
HOOKED = outbox.wanted(_AGENT.scalar_subquery()).label("hooked")
"""Whether a webhook wants to hear of the end of this `approval_id`."""
_BEFORE_END = select(
    now().label("now"),
    _SALT.scalar_subquery().label("salt"),
    HOOKED,
)


def clock(connection: Connection) -> int:
    """The database's time now, in microseconds since 1970."""
    return int(connection.execute(_NOW).scalar_one())


def before_end(connection: Connection, approval_id: str) -> tuple[int, str, bool]:
    """`clock` and `salt`, and whether a webhook wants to hear of its end, in one statement."""
    found = connection.execute(_BEFORE_END, {"approval_id": approval_id}).one()
    return int(found.now), found.salt or "", bool(found.hooked)


def add_agent(connection: Connection, name: str, owner: str | None, at: int) -> None:
    """An agent that asks for the first time."""
    connection.execute(_ADD_AGENT, {"name": name, "owner": owner, "created_at": at})


def meet_agent(connection: Connection, name: str, owner: str | None, at: int) -> bool:
    """The same, of one whom others may meet in this very moment; False where they were first."""
    return connection.execute(_MEET_AGENT, {"name": name, "owner": owner, "created_at": at}).rowcount == 1


def add_approval(
    connection: Connection, values: dict[str, Any], payload: dict[str, Any], channel: str | None
) -> None:
    """A new approval, its first payload, and its card in a channel yet to be posted; None: it has none."""
    connection.execute(_ADD_APPROVAL, values)
    connection.execute(_ADD_PAYLOAD, payload)
    if channel:
        values = {"approval_id": values["id"], "channel": channel, "shown_revision": 0}
        connection.execute(_ADD_CARD, values)


def add_payload(
    connection: Connection, approval_id: str, version: int, text: str, salt: str, by_id: str | None
) -> None:
    """Another version of a payload, and who has made it."""
    values = {"approval_id": approval_id, "version": version, "text": text, "salt": salt, "by_id": by_id}
    connection.execute(_ADD_PAYLOAD, values)


def salt(connection: Connection, approval_id: str) -> str:
    """The salt of an approval's digests in the audit log; empty once its payload is erased."""
    return connection.execute(_SALT, {"approval_id": approval_id}).scalar() or ""


def end(connection: Connection, approval_id: str, seen: int, values: dict[str, Any]) -> bool:
    """Pending and still in time, at the version that was seen → ended; False where it is not.

    By votes only where none has come, or was taken back, since they were `counted`.
    """
    parameters = {"counted": None, "approval_id": approval_id, "seen": seen, **values}
    return _DECIDE.run(connection, parameters) == 1


def expire(connection: Connection, approval_id: str, values: dict[str, Any]) -> bool:
    """Pending and overdue → expired; False where it is not."""
    return connection.execute(_EXPIRE, {"approval_id": approval_id, **values}).rowcount == 1


def adopt(connection: Connection, approval_id: str, values: dict[str, Any]) -> bool:
    """Pending, overdue or not → ended, and its response is in Redis; False where it is not pending."""
    return connection.execute(_ADOPT, {"approval_id": approval_id, **values}).rowcount == 1


def report(connection: Connection, approval_id: str, outcome: str) -> bool:
    """Approved and without an outcome → with it; False where it is not."""
    return connection.execute(_REPORT, {"approval_id": approval_id, "what": outcome}).rowcount == 1


def spend(connection: Connection, approval_id: str, by: str, at: int) -> bool:
    """Approved, and nobody runs it → spent by this process; False where it is not so."""
    return connection.execute(_SPEND, {"approval_id": approval_id, "by": by, "at": at}).rowcount == 1


def note_shown(connection: Connection, approval_id: str, values: dict[str, Any], lease: int | None) -> bool:
    """A card stands: `card_id`, `revision`, `still_unsure`, and `to_conversation`, `to_message`, `to_thread`,
    `link`.

    By a `lease`, False where somebody else has had it since, or shows a later revision; without one, always.
    """
    found = _SHOWN if lease is None else _SHOWN_BY
    if connection.execute(found, values if lease is None else values | {"mine": lease}).rowcount == 0:
        return False
    connection.execute(_FIRST_SHOWN, {"approval_id": approval_id})
    return True


def place(connection: Connection, card_id: int) -> tuple[str | None, str | None]:
    """Conversation and message of a card."""
    found = connection.execute(_PLACE, {"card_id": card_id}).one()
    return found.conversation, found.message


def move(connection: Connection, approval_id: str) -> None:
    """What its card shows is not known: another revision, so that whoever is at it goes round once more."""
    connection.execute(_MOVED, {"approval_id": approval_id})


def note_delivered(connection: Connection, approval_id: str, revision: int) -> None:
    """All its cards show at least this revision."""
    connection.execute(_DELIVERED, {"approval_id": approval_id, "to": revision})


def note_delivered_already(connection: Connection, approval_id: str, revision: int) -> None:
    """The same, as far as its card's row says so."""
    connection.execute(_DELIVERED_ALREADY, {"approval_id": approval_id, "to": revision})


def stir(connection: Connection, conversation: str, thread: str) -> None:
    """Something has happened to a card in this thread: where it is a run's, its first message has to tell."""
    connection.execute(_STIRRED, {"where": conversation, "first": thread})


def postpone(connection: Connection, approval_id: str, microseconds: int, lease: int | None = None) -> None:
    """Its card is not due for a while. By a `lease`: unless somebody else has had it since."""
    values = {"approval_id": approval_id, "pause": microseconds}
    if lease is None:
        connection.execute(_POSTPONE, values)
    else:
        connection.execute(_POSTPONE_BY, values | {"mine": lease})


def note_fault(connection: Connection, approval_id: str, what: str, lease: int | None = None) -> bool:
    """Why a card cannot be shown; False where that was known, of this card or of another.

    By a `lease`, also where somebody else has had it since.
    """
    values = {"card_of": approval_id, "what": what}
    by = _FAULT if lease is None else _FAULT_BY
    new = connection.execute(by, values if lease is None else values | {"mine": lease}).rowcount > 0
    return new and connection.execute(_SAME_FAULT, values).first() is None
