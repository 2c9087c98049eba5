"""Policies as the database keeps them: each text once, and the owners that the one in force names."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, func, select, text, update

from signoff.models.log import Event, append
from signoff.models.store import Store, agents
from signoff.models.tables import PolicyRow

policies = PolicyRow.__table__  # type: ignore[attr-defined]

_ADD = text(
    "INSERT INTO policy (digest, text, since, fault) VALUES (:digest, :text, :since, :fault) "
    "ON CONFLICT (digest) DO NOTHING"
)
_NEWEST = select(func.max(policies.c.since))
_SET = (
    update(policies).where(policies.c.digest == bindparam("which")).values(since=bindparam("at"), fault=None)
)
# Of two processes at once PostgreSQL lets the second one see what the first has set, and not the maximum.
_AGAIN = _SET.where(policies.c.since < _NEWEST.scalar_subquery())
_LAST = select(policies.c.text).where(policies.c.since > 0).order_by(policies.c.since.desc()).limit(1)
_TEXT = select(policies.c.text).where(policies.c.digest == bindparam("which"))
_FORGET = text("DELETE FROM policy WHERE digest = :digest AND since = 0")
_FORGET_ALL = text("DELETE FROM policy WHERE since = 0")
_OWNERS = select(agents.c.name, agents.c.owner, agents.c.added_owner)
_ADD_OWNER = text(
    "INSERT INTO agent (name, owner, added_owner, created_at) VALUES (:name, :owner, :added, :at) "
    "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, added_owner = excluded.added_owner"
)
_AGENT = select(agents).where(agents.c.name == bindparam("agent"))
_OWN = update(agents).where(agents.c.name == bindparam("agent")).values(owner=bindparam("user"))


def keep(connection: Connection, digest: str, content: str, at: int, anew: bool = False) -> bool:
    """A policy is in force, `at` (microseconds since 1970); True where another one was before, or `anew`.

    `digest` is the SHA-256 of its text, `content`. Of several processes one is told True, and logs it with
    this time: which one is in force is what the log says.
    """
    values = {"digest": digest, "text": content, "since": at, "fault": None}
    if connection.execute(_ADD, values).rowcount == 1:
        return True
    change = _SET if anew else _AGAIN
    return connection.execute(change, {"which": digest, "at": at}).rowcount == 1


def after_all(connection: Connection, at: int) -> int:
    """When what comes into force now does: `at`, or where clocks went back, just after the newest."""
    return max(at, int(connection.execute(_NEWEST).scalar() or 0) + 1)


def refuse(store: Store, digest: str, content: str, fault: str) -> bool:
    """A file cannot be used; True for the process that is the first to meet it."""
    values = {"digest": digest, "text": content, "since": 0, "fault": fault}
    with store.transaction() as connection:
        return connection.execute(_ADD, values).rowcount == 1


def forget(store: Store, digest: str) -> None:
    """Nobody could be told of a file that cannot be used: the next who meets it is the first again."""
    with store.transaction() as connection:
        connection.execute(_FORGET, {"digest": digest})


def mended(store: Store) -> None:
    """The file can be used again: whatever comes to be wrong with it next is told."""
    with store.transaction() as connection:
        connection.execute(_FORGET_ALL)


def last(store: Store) -> str | None:
    """The text of the policy that came into force last; None where there was none."""
    with store.reading() as connection:
        found: str | None = connection.execute(_LAST).scalar()
        return found


def kept(connection: Connection, digest: str) -> str | None:
    """The text of a policy, by its SHA-256."""
    found: str | None = connection.execute(_TEXT, {"which": digest}).scalar()
    return found


def own(connection: Connection, owner_of: Callable[[str], str | None]) -> dict[str, str | None]:
    """Give every agent the owner that a policy names for it, else the one that it was added with.

    Gives those that have another one now.
    """
    changed = {}
    for name, owner, added in connection.execute(_OWNERS).all():
        if (wanted := owner_of(name) or added) != owner:
            changed[name] = wanted
            connection.execute(_OWN, {"agent": name, "user": wanted})
    return changed


def add_owner(store: Store, agent: str, added: str, named: str | None) -> None:
    """Keep whom an agent was added with, whether it has asked yet or not; `named` is the policy's, if any."""
    at = store.clock()
    values = {"name": agent, "owner": named or added, "added": added, "at": at}
    with store.transaction() as connection:
        connection.execute(_ADD_OWNER, values)
        row = connection.execute(_AGENT, {"agent": agent}).one()
        told = {name: row._mapping[name] for name in ("owner", "added_owner", "created_at")}
        append(connection, Event("agent", None, at, "operator", {"agent": agent, **told}))
