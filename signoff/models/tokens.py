"""Tokens by which callers of the doors by HTTP say who they are: made, found, revoked.

A token is `sgt_<id>_<secret>`, both base 62. It is shown once; the row has its SHA-256, which is enough for
256 bits of chance. Nothing is cached: a token that is revoked is worthless at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import string
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from sqlalchemy import Connection, Row, Update, bindparam, insert, select, union_all, update

from signoff.models.log import Event, append
from signoff.models.store import MICROSECONDS, Store, now
from signoff.models.tables import AgentRow, AgentTokenRow

ASK, HOOK, SPEND, STOP = "ask", "hook", "spend", "stop"
ANY = ""
"""What a token is for: to ask and be answered; hooks of coding agents; to spend receipts of named agents and
actions: `spend:<agent>:<action>`, of which the action may hold `*`; to stop and resume.
ANY is any of them but `hook`."""
PREFIX = "sgt_"
SCOPE = re.compile(r"ask|hook|stop|spend:[a-z0-9-]{1,40}:[A-Za-z0-9_.:/@*-]{1,100}")
TOKEN = re.compile(r"sgt_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})")
USED_SECONDS = 3600
"""How exact `used_at` is: a row is not written at every call."""
_LETTERS = string.digits + string.ascii_letters
tokens = AgentTokenRow.__table__  # type: ignore[attr-defined]
_FIND = select(tokens).where(tokens.c.id == bindparam("token_id"))
_ALL = select(tokens).order_by(tokens.c.agent, tokens.c.created_at, tokens.c.id)
_STANDS = tokens.c.revoked_at.is_(None)
_OF = select(tokens).where(tokens.c.agent == bindparam("whose"), _STANDS).order_by(tokens.c.created_at)
_EVER = select(tokens).where(tokens.c.agent == bindparam("whose"))
ENDED: Final = (
    "SELECT id, revoked_at FROM agent_token WHERE revoked_at IS NOT NULL OR off_at IS NOT NULL ORDER BY id"
)
"""For whoever replaces a database: what opens nothing by it."""
_KNOWN = union_all(
    select(tokens.c.agent).where(tokens.c.agent == bindparam("whose")),
    select(AgentRow.__table__.c.name).where(AgentRow.__table__.c.name == bindparam("whose")),  # type: ignore[attr-defined]
).limit(1)
_ADD = insert(tokens)
_CHANGE = update(tokens).where(tokens.c.id == bindparam("token_id"), _STANDS)
_REVOKE = _CHANGE.values(revoked_at=bindparam("at"))
_SWITCH = _CHANGE.values(off_at=bindparam("at"))
_USED = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("token_id"),
        tokens.c.used_at.is_(None) | (tokens.c.used_at < now() - USED_SECONDS * MICROSECONDS),
    )
    .values(used_at=now())
)
_NOW = select(now())


@dataclass(frozen=True)
class Token:
    """One token as its row tells of it. Times are microseconds since 1970."""

    id: str
    agent: str
    scopes: tuple[str, ...]
    created_at: int
    used_at: int | None
    off_at: int | None
    revoked_at: int | None

    @property
    def stands(self) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and self.off_at is None

    def may(self, scope: str) -> bool:
        """Whether it is for this: `ask`, `hook`, or `spend`, of whomever."""
        if scope == ANY:
            return any(one != HOOK for one in self.scopes)
        return any(one == scope or one.startswith(scope + ":") for one in self.scopes)

    def may_spend(self, agent: str, action: str) -> bool:
        """Whether it may spend a receipt of this agent and action."""
        for scope in self.scopes:
            kind, _, rest = scope.partition(":")
            whose, _, glob = rest.partition(":")
            if kind == SPEND and whose == agent and fnmatchcase(action, glob):
                return True
        return False


def add(store: Store, agent: str, scopes: Collection[str]) -> str:
    """Make a token → its text, which nothing keeps. Scopes are as `SCOPE` has them."""
    with store.transaction() as connection:
        return _make(connection, agent, scopes)


def rotate(store: Store, agent: str) -> list[tuple[Token, str]]:
    """An agent's tokens are worthless from now on; for each there is another that may the same.

    Gives each former one with the new one's text. An agent that is kept out stays so.
    """
    with store.transaction() as connection:
        before = [_read(row) for row in connection.execute(_OF, {"whose": agent})]
        made = []
        for token in before:
            _note(connection, _REVOKE, token, "revoked")
            text = _make(connection, agent, token.scopes)
            if token.off_at is not None:
                _note(connection, _SWITCH, _known(connection, text), "off")
            made.append((token, text))
        return made


def find(store: Store, text: str) -> Token | None:
    """The token of this text, where it stands; compared in constant time."""
    if (named := TOKEN.fullmatch(text)) is None:
        return None
    with store.reading() as connection:
        row = connection.execute(_FIND, {"token_id": named[1]}).first()
    if row is None or not hmac.compare_digest(row.hash, _hash(text)):
        return None
    found = _read(row)
    return found if found.stands else None


def note_used(store: Store, token: Token) -> None:
    """It is used now; kept to the hour."""
    with store.transaction() as connection:
        connection.execute(_USED, {"token_id": token.id})


def revoke(store: Store, token_id: str) -> Token | None:
    """It is worthless from now on → what it was; None where it is not there, or was revoked before."""
    with store.transaction() as connection:
        row = connection.execute(_FIND, {"token_id": token_id}).first()
        token = _read(row) if row else None
        return token if token and _note(connection, _REVOKE, token, "revoked") else None


def revoke_all(store: Store, agent: str) -> int:
    """All of an agent's tokens are worthless from now on → how many that were."""
    return _each(store, agent, _REVOKE, "revoked")


def switch(store: Store, agent: str, *, on: bool) -> int:
    """Keep an agent out, or let it in again, with the tokens that it has → how many there are."""
    return _each(store, agent, _SWITCH, "on" if on else "off")


def kept_out(store: Store, agent: str) -> bool:
    """Whether an operator keeps an agent out: switched off, or each token that it ever had is revoked.

    One that never had a token is not; whether its user in Redis is off, rows do not say.
    """
    with store.reading() as connection:
        found = [_read(row) for row in connection.execute(_EVER, {"whose": agent})]
    left = [one for one in found if one.revoked_at is None]
    return any(one.off_at is not None for one in left) if left else bool(found)


def carry(connection: Connection, ended: Iterable[Sequence[Any]]) -> int:
    """Tokens of a database that is replaced (`ENDED`): what was revoked or off there is here → how many."""
    count = 0
    for token_id, revoked_at in ended:
        row = connection.execute(_FIND, {"token_id": token_id}).first()
        token = _read(row) if row else None
        if token is None or token.revoked_at is not None:
            continue
        if revoked_at is not None:
            count += _note(connection, _REVOKE, token, "revoked")
        elif token.off_at is None:
            count += _note(connection, _SWITCH, token, "off")
    return count


def standing(connection: Connection) -> list[Token]:
    """The tokens that open something now, by agent."""
    return [one for one in map(_read, connection.execute(_ALL)) if one.stands]


def all_of(store: Store) -> list[Token]:
    """Every token there ever was, by agent."""
    with store.reading() as connection:
        return [_read(row) for row in connection.execute(_ALL)]


def known(store: Store, agent: str) -> bool:
    """Whether an agent has ever had a token, was added, or has asked."""
    with store.reading() as connection:
        return connection.execute(_KNOWN, {"whose": agent}).first() is not None


def _each(store: Store, agent: str, change: Update, what: str) -> int:
    with store.transaction() as connection:
        found = [_read(row) for row in connection.execute(_OF, {"whose": agent})]
        return sum(_note(connection, change, token, what) for token in found)


def _make(connection: Connection, agent: str, scopes: Collection[str]) -> str:
    token_id, secret = _random(12), _random(43)
    text, at = f"{PREFIX}{token_id}_{secret}", connection.execute(_NOW).scalar_one()
    said = sorted(set(scopes))
    row = {"id": token_id, "agent": agent, "hash": _hash(text), "scopes": json.dumps(said), "created_at": at}
    connection.execute(_ADD, row)
    _log(connection, at, agent, token_id, said, "added")
    return text


def _known(connection: Connection, text: str) -> Token:
    named = TOKEN.fullmatch(text)
    assert named
    return _read(connection.execute(_FIND, {"token_id": named[1]}).one())


def _note(connection: Connection, change: Update, token: Token, what: str) -> bool:
    """Change a row and say so in the log; False where it was revoked before."""
    at = connection.execute(_NOW).scalar_one()
    if connection.execute(change, {"token_id": token.id, "at": None if what == "on" else at}).rowcount != 1:
        return False
    _log(connection, at, token.agent, token.id, token.scopes, what)
    return True


def _log(
    connection: Connection, at: int, agent: str, token_id: str, scopes: Collection[str], what: str
) -> None:
    said = {"agent": agent, "id": token_id, "scopes": list(scopes), "what": what}
    append(connection, Event("token", None, at, "operator", said))


def _read(row: Row[Any]) -> Token:
    return Token(
        row.id, row.agent, tuple(json.loads(row.scopes)), row.created_at, row.used_at, row.off_at,
        row.revoked_at,
    )  # fmt: skip


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _random(characters: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(characters))
