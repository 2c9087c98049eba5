"""Who calls, by the token that they show; what they may is in its scopes."""

from __future__ import annotations

import time

from starlette.requests import Request

from signoff.models import tokens
from signoff.models.store import MICROSECONDS, Store
from signoff.models.tokens import Token
from signoff.web.doors import Doors
from signoff.web.problems import Problem
from signoff.web.turns import note_agent

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="signoff"'}


def caller(request: Request, doors: Doors, scope: str) -> Token:
    """The token of who calls.

    Raises Problem: none or a worthless one (401), not for this `scope` (403), or of an agent that calls too
    often (429).
    """
    found = shown(request, doors)
    if not found.may(scope):
        raise Problem(
            403, "not-allowed", f"This token is not for {scope!r}: `signoff agent token` makes one that is."
        )
    doors.rates.count(found.agent)
    _note_use(doors.store, found)
    return found


def shown(request: Request, doors: Doors) -> Token:
    """The token that a request shows; raises Problem (401). Who has waited is asked for it once more."""
    given = request.headers.getlist("authorization")
    kind, _, text = (given[0] if len(given) == 1 else "").partition(" ")
    found = tokens.find(doors.store, text.strip()) if kind.lower() == "bearer" else None
    if found is None:
        raise Problem(
            401, "no-token", "Send one Authorization: Bearer sgt_…, with a token that stands.",
            CHALLENGE,
        )  # fmt: skip
    note_agent(found.agent)
    return found


def _note_use(store: Store, token: Token) -> None:
    before = token.used_at
    # By our own clock, which may be off: the statement asks the database's, and this only whether to ask it.
    if before is None or time.time() - before / MICROSECONDS > tokens.USED_SECONDS:
        tokens.note_used(store, token)
