"""Whether it was them: a vote that the policy wants proven is taken with a code, and each code once.

A proof is for one vote on one version. What it is made of is checked before; that it still holds is said in
the vote's own transaction, so that a factor that is removed, or a code that is used meanwhile, counts for
nothing.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyotp
from sqlalchemy import Connection

from signoff.approvals.factor_errors import (
    CodeUsed,
    FactorLocked,
    FactorUnread,
    NoFactor,
    ProofAsked,
    Unproven,
    WrongCode,
    WrongTyped,
)
from signoff.approvals.vault import Sealed, Vault
from signoff.errors import Invalid
from signoff.models import changes, factors
from signoff.models.factors import Factor
from signoff.models.log import Event, append
from signoff.models.store import MICROSECONDS, Store
from signoff.models.verdict import Verdict
from signoff.policy.typed import is_same, is_typable, value_at

log = logging.getLogger("signoff.factors")

MOST_WRONG, WITHIN, LOCKED_FOR = 5, 600 * MICROSECONDS, 3600 * MICROSECONDS
"""So many wrong codes in ten minutes lock for an hour."""
AROUND = (0, -1, 1)
"""Steps whose codes are taken: the phone's clock, and whoever types, may be 30 s off (RFC 6238, 5.2)."""
TOTP, SESSION = "totp", "totp session"


@dataclass(frozen=True)
class Proof:
    """What somebody has entered: a code, and by field the value that they have typed."""

    code: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Needs:
    """What somebody is asked for before they approve; `lacking` says why they cannot be."""

    code: bool = False
    confirm: tuple[str, ...] = ()
    lacking: Unproven | None = None


@dataclass(frozen=True)
class Proven:
    """What a vote is proven by (None where nothing was wanted), and what says in its transaction that it
    holds: it raises Unproven where it does not any more.
    """

    factor: str | None = None
    holds: Callable[[Connection], bool] = lambda _: True


class Factors:
    """Takes proofs."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def needs(self, verdict: Verdict, user_id: str) -> Needs:
        """What this person is asked for to approve under a verdict, now."""
        if verdict.second_factor is None:
            return Needs(confirm=verdict.confirm)
        with self._store.reading() as connection:
            at = changes.clock(connection)
            if self._in_session(connection, verdict, user_id, at):
                return Needs(confirm=verdict.confirm)
            guard = factors.guard(connection, user_id)
            if guard.locked_until > at:
                return Needs(False, verdict.confirm, FactorLocked(guard.locked_until))
            try:
                _counting(factors.of(connection, user_id), at)
            except NoFactor as error:
                return Needs(False, verdict.confirm, error)
        return Needs(True, verdict.confirm)

    def prove(
        self, verdict: Verdict, user_id: str, payload: Mapping[str, Any], proof: Proof | None
    ) -> Proven:
        """What a vote to approve `payload` is proven by; raises Unproven, or Invalid where nobody could."""
        if not verdict.asks_proof:
            return Proven()
        for name in verdict.confirm:
            if not is_typable(value_at(payload, name)):
                raise Invalid(f"The policy wants {name} typed, and nobody can: it is missing or too long.")
        needs = self.needs(verdict, user_id)
        if needs.lacking:
            raise needs.lacking
        if proof is None and (needs.code or needs.confirm):
            raise ProofAsked
        given = proof or Proof()
        for name in verdict.confirm:
            if not is_same(given.typed.get(name, ""), value_at(payload, name)):
                raise WrongTyped(name)
        if verdict.second_factor is None:
            return Proven()
        if not needs.code:
            return Proven(SESSION, lambda connection: self._goes_on(connection, verdict, user_id))
        factor, step = self.check(user_id, given.code)
        return Proven(TOTP, lambda connection: _used(connection, verdict, user_id, factor.id, step))

    def check(self, user_id: str, code: str) -> tuple[Factor, int]:
        """The factor and the step that a code is of; raises Unproven. A wrong one is counted."""
        code = "".join(code.split())
        if not code:
            raise ProofAsked
        with self._store.transaction() as connection:
            guard, at = factors.lock(connection, user_id), changes.clock(connection)
            if guard.locked_until > at:
                raise FactorLocked(guard.locked_until)
            found = _counting(factors.of(connection, user_id), at)
            matching = self.matching(found, code, at)
            if matching is None:
                error = wrong(connection, user_id, guard, at)
        if matching is None:
            raise error
        if matching[1] <= matching[0].last_step:
            raise CodeUsed
        return matching

    def begin_session(self, user_id: str, code: str) -> None:
        """A code is used that counts for several; raises Unproven."""
        factor, step = self.check(user_id, code)
        with self._store.transaction() as connection:
            _use(connection, user_id, factor.id, step)
            factors.begin_session(connection, user_id, factor.id, changes.clock(connection))

    def matching(self, found: list[Factor], code: str, at: int) -> tuple[Factor, int] | None:
        """Which of these a code is of, and of which step; raises FactorUnread where none can be read."""
        unread = 0
        for factor in found:
            try:
                totp = pyotp.TOTP(self.secret(factor))
            except Sealed as error:
                log.error("a second factor cannot be read: id=%s %s", factor.name, error)
                unread += 1
                continue
            for step in (factors.step_of(at) + off for off in AROUND):
                if hmac.compare_digest(totp.at(step * 30).encode(), code.encode(errors="replace")):
                    return factor, step
        if unread and unread == len(found):
            raise FactorUnread
        return None

    def secret(self, factor: Factor) -> str:
        """Its secret, in base 32; raises Sealed."""
        return self._vault.read(factor.key, factor.secret, about(factor.id, factor.user_id))

    def _in_session(self, connection: Connection, verdict: Verdict, user_id: str, at: int) -> bool:
        guard = factors.guard(connection, user_id)
        if not verdict.in_session or guard.session_of is None:
            return False
        by = factors.one(connection, guard.session_of)
        fresh = 0 <= at - guard.session_at < verdict.in_session * MICROSECONDS
        return fresh and by is not None and by.counts(at)

    def _goes_on(self, connection: Connection, verdict: Verdict, user_id: str) -> bool:
        factors.lock(connection, user_id)
        if not self._in_session(connection, verdict, user_id, changes.clock(connection)):
            raise ProofAsked
        return True


def about(factor_id: str, user_id: str) -> str:
    """What a sealed secret is bound to: put into another's row it opens nothing."""
    return f"{factor_id} {user_id} {TOTP}"


def _counting(found: list[Factor], at: int) -> list[Factor]:
    """Those that count now; raises NoFactor where none does."""
    counting = [one for one in found if one.counts(at)]
    if counting:
        return counting
    rests = [one.counts_from for one in found if one.in_force and one.counts_from]
    raise NoFactor(min(rests, default=0), restored=bool(found) and not rests)


def wrong(connection: Connection, user_id: str, guard: factors.Guard, at: int) -> Unproven:
    """Count a wrong code; the fifth within ten minutes locks, and the admins are told."""
    wrong = [one for one in guard.wrong if at - one < WITHIN] + [at]
    if len(wrong) < MOST_WRONG:
        factors.note_tries(connection, user_id, wrong, 0)
        return WrongCode(MOST_WRONG - len(wrong))
    until = at + LOCKED_FOR
    factors.note_tries(connection, user_id, [], until)
    factors.tell(connection, user_id, "locked", user_id, at)
    append(
        connection, Event("factor", None, at, user_id, {"what": "locked", "user": user_id, "until": until})
    )
    log.warning("too many wrong codes: user=%s", user_id)
    return FactorLocked(until)


def _used(connection: Connection, verdict: Verdict, user_id: str, factor_id: str, step: int) -> bool:
    """This step's code is used now, and may begin a session; raises as `_use`."""
    _use(connection, user_id, factor_id, step)
    if verdict.in_session:
        factors.begin_session(connection, user_id, factor_id, changes.clock(connection))
    return True


def _use(connection: Connection, user_id: str, factor_id: str, step: int) -> None:
    """Raise CodeUsed where this code was, or a newer one, and NoFactor where the factor counts no more."""
    factors.lock(connection, user_id)
    if not factors.use(connection, factor_id, step):
        at, found = changes.clock(connection), factors.one(connection, factor_id)
        if found is None or not found.counts(at):
            raise NoFactor
        raise CodeUsed
