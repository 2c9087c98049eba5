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
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from signoff.models.store import MICROSECONDS, Store, now
from signoff.models.tables import AgentTokenRow

ASK, HOOK, SPEND = "ask", "hook", "spend"
"""What a token is for: to ask and be answered; hooks of coding agents; to spend receipts of named agents and
actions: `spend:<agent>:<action>`, of which the action may hold `*`."""
PREFIX = "sgt_"
SCOPE = re.compile(r"ask|hook|spend:[a-z0-9-]{1,40}:[A-Za-z0-9_.:/@*-]{1,100}")
TOKEN = re.compile(r"sgt_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})")
USED_SECONDS = 3600
"""How exact `used_at` is: a row is not written at every call."""
_LETTERS = string.digits + string.ascii_letters
tokens = AgentTokenRow.__table__  # type: ignore[attr-defined]
_FIND = select(tokens).where(tokens.c.id == bindparam("token_id"))
_ALL = select(tokens).order_by(tokens.c.agent, tokens.c.created_at)
_ADD = insert(tokens)
_STANDS = tokens.c.revoked_at.is_(None)
_REVOKE = update(tokens).where(tokens.c.id == bindparam("token_id"), _STANDS).values(revoked_at=now())
_REVOKE_ALL = update(tokens).where(tokens.c.agent == bindparam("whose"), _STANDS).values(revoked_at=now())
_USED = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("token_id"),
        tokens.c.used_at.is_(None) | (tokens.c.used_at < now() - USED_SECONDS * MICROSECONDS),
    )
    .values(used_at=now())
)


@dataclass(frozen=True)
class Token:
    """One token as its row tells of it. Times are microseconds since 1970."""

    id: str
    agent: str
    scopes: tuple[str, ...]
    created_at: int
    used_at: int | None
    revoked_at: int | None

    def may(self, scope: str) -> bool:
        """Whether it is for this: `ask`, `hook`, or `spend`, of whomever."""
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
    """Make a token → its text, which nothing keeps."""
    token_id, secret = _random(12), _random(43)
    text = f"{PREFIX}{token_id}_{secret}"
    with store.transaction() as connection:
        row = {
            "id": token_id,
            "agent": agent,
            "hash": _hash(text),
            "scopes": json.dumps(sorted(set(scopes))),
            "created_at": connection.execute(select(now())).scalar_one(),
        }
        connection.execute(_ADD, row)
    return text


def find(store: Store, text: str) -> Token | None:
    """The token of this text, unless it is revoked; compared in constant time."""
    if (named := TOKEN.fullmatch(text)) is None:
        return None
    with store.reading() as connection:
        row = connection.execute(_FIND, {"token_id": named[1]}).first()
    if row is None or not hmac.compare_digest(row.hash, _hash(text)) or row.revoked_at is not None:
        return None
    return _read(row)


def note_used(store: Store, token: Token) -> None:
    """It is used now; kept to the hour."""
    with store.transaction() as connection:
        connection.execute(_USED, {"token_id": token.id})


def revoke(store: Store, token_id: str) -> bool:
    """It is worthless from now on; False where it is not there, or was before."""
    with store.transaction() as connection:
        return connection.execute(_REVOKE, {"token_id": token_id}).rowcount == 1


def revoke_all(store: Store, agent: str) -> int:
    """All of an agent's tokens are worthless from now on → how many that were."""
    with store.transaction() as connection:
        return connection.execute(_REVOKE_ALL, {"whose": agent}).rowcount


def all_of(store: Store) -> list[Token]:
    """Every token there ever was, by agent."""
    with store.reading() as connection:
        return [_read(row) for row in connection.execute(_ALL)]


def _read(row: Row[Any]) -> Token:
    return Token(
        row.id, row.agent, tuple(json.loads(row.scopes)), row.created_at, row.used_at, row.revoked_at
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _random(characters: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(characters))
