"""Where an agent's decisions are posted to: endpoints, registered by an operator and never by a request.

Each change stands in the audit log, an address by its digest: it may have a secret in it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, literal_column, select, update

from signoff.errors import ConfigError
from signoff.models.log import Event, append, sha256
from signoff.models.outbox import deliveries, endpoints
from signoff.models.store import MICROSECONDS, Store, now

OPERATOR, SIGNOFF = "operator", "signoff"
"""Who changes an endpoint."""
BY_OPERATOR = "by an operator"
"""Why it is off, where somebody wanted it so."""
TELL_SECONDS = 86_400
"""Admins are told of an endpoint that fails once in so long."""
WAS_OFF = "its endpoint was switched off"
_THIS = endpoints.c.id == bindparam("endpoint")
_ADD = insert(endpoints)
_FIND = select(endpoints).where(_THIS)
_SAME = select(endpoints.c.id).where(
    endpoints.c.agent == bindparam("whose"), endpoints.c.url == bindparam("to")
)
_ALL = select(endpoints).order_by(endpoints.c.agent, endpoints.c.created_at, endpoints.c.id)
_ROTATE = update(endpoints).where(_THIS).values(generation=endpoints.c.generation + 1, rotated_at=now())
_OFF = (
    update(endpoints)
    .where(_THIS, endpoints.c.off_at.is_(None))
    .values(off_at=bindparam("at"), off_reason=bindparam("why"))
)
_ON = (
    update(endpoints)
    .where(_THIS, endpoints.c.off_at.is_not(None))
    .values(off_at=None, off_reason=None, failing_since=None, rests_until=0, told_at=None)
)
_REMOVE = delete(endpoints).where(_THIS)
_FORGET = delete(deliveries).where(deliveries.c.endpoint_id == bindparam("endpoint"))
_DROP = (
    update(deliveries)
    .where(deliveries.c.endpoint_id == bindparam("endpoint"), deliveries.c.due_at.is_not(None))
    .values(due_at=None, ended_at=now(), fault=WAS_OFF)
)
_TELL = (
    update(endpoints)
    .where(
        _THIS,
        endpoints.c.told_at.is_(None)
        | (endpoints.c.told_at < now() - literal_column(str(TELL_SECONDS * MICROSECONDS))),
    )
    .values(told_at=now())
)
_UNTOLD = update(endpoints).where(_THIS).values(told_at=None)
_NOW = select(now())


@dataclass(frozen=True)
class Endpoint:
    """One endpoint, as its row tells of it."""

    id: str
    agent: str
    url: str = field(repr=False)
    events: tuple[str, ...]
    generation: int
    created_at: int
    off_at: int | None
    off_reason: str | None
    rotated_at: int | None
    answered_at: int | None
    answer: str | None
    failing_since: int | None
    rests_until: int
    told_at: int | None


def add(store: Store, agent: str, url: str, events: Collection[str]) -> Endpoint:
    """Register one; raises ConfigError where it is registered already."""
    named = f"ep_{secrets.token_hex(8)}"
    with store.transaction() as connection:
        if same := connection.execute(_SAME, {"whose": agent, "to": url}).scalar():
            raise ConfigError(f"{agent} has this endpoint already: {same}.")
        at = _clock(connection)
        row = {"id": named, "agent": agent, "url": url, "events": json.dumps(list(events)), "created_at": at}
        connection.execute(_ADD, row)
        return _logged(connection, named, at, OPERATOR)


def find(store: Store, endpoint: str) -> Endpoint | None:
    """The endpoint of this id."""
    with store.reading() as connection:
        row = connection.execute(_FIND, {"endpoint": endpoint}).first()
    return _read(row) if row else None


def all_of(store: Store) -> list[Endpoint]:
    """Every endpoint, by agent."""
    with store.reading() as connection:
        return [_read(row) for row in connection.execute(_ALL)]


def rotate(store: Store, endpoint: str) -> Endpoint | None:
    """It has other keys from now on; None where there is none."""
    with store.transaction() as connection:
        if connection.execute(_ROTATE, {"endpoint": endpoint}).rowcount == 0:
            return None
        return _logged(connection, endpoint, _clock(connection), OPERATOR)


def switch_off(connection: Connection, endpoint: str, why: str, actor: str) -> bool:
    """Nothing is sent there any more, also not what waits; False where it is off already, or gone.

    As the transaction's last statements.
    """
    at = _clock(connection)
    if connection.execute(_OFF, {"endpoint": endpoint, "at": at, "why": why}).rowcount == 0:
        return False
    connection.execute(_DROP, {"endpoint": endpoint})
    _logged(connection, endpoint, at, actor)
    return True


def switch_on(store: Store, endpoint: str) -> bool:
    """What ends from now on is sent there again; False where it is on already, or gone."""
    with store.transaction() as connection:
        if connection.execute(_ON, {"endpoint": endpoint}).rowcount == 0:
            return False
        _logged(connection, endpoint, _clock(connection), OPERATOR)
        return True


def remove(store: Store, endpoint: str) -> bool:
    """It is gone, with all that was to be sent there; False where it was before."""
    with store.transaction() as connection:
        if connection.execute(_REMOVE, {"endpoint": endpoint}).rowcount == 0:
            return False
        connection.execute(_FORGET, {"endpoint": endpoint})
        data = {"endpoint": endpoint, "removed": True}
        append(connection, Event("webhook", None, _clock(connection), OPERATOR, data))
        return True


def tell_once(store: Store, endpoint: str) -> bool:
    """True for the one worker that is to tell the admins of it today."""
    with store.transaction() as connection:
        return connection.execute(_TELL, {"endpoint": endpoint}).rowcount == 1


def not_told(store: Store, endpoint: str) -> None:
    """They could not be told: whoever finds it failing next tells them."""
    with store.transaction() as connection:
        connection.execute(_UNTOLD, {"endpoint": endpoint})


def _logged(connection: Connection, endpoint: str, at: int, actor: str) -> Endpoint:
    """Its row, of which a line of the audit log tells; as the transaction's last statement."""
    found = _read(connection.execute(_FIND, {"endpoint": endpoint}).one())
    told = {
        "endpoint": found.id, "agent": found.agent, "url": sha256(found.url), "events": list(found.events),
        "generation": found.generation, "created_at": found.created_at, "off_at": found.off_at,
        "off_reason": found.off_reason,
    }  # fmt: skip
    append(connection, Event("webhook", None, at, actor, told))
    return found


def _clock(connection: Connection) -> int:
    return int(connection.execute(_NOW).scalar_one())


def _read(row: Row[Any]) -> Endpoint:
    return Endpoint(**{**row._mapping, "events": tuple(json.loads(row.events))})
