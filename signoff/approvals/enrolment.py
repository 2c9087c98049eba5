"""Who has a second factor: invited, enrolled, affirmed and removed; each is logged, and people are told.

Whoever has stolen a Slack account must not enrol one with it. So a first factor takes a one-time code that
the operator, or another admin, gives by another way; a further one takes an old one; and each rests for a
day, in which the person and the admins, who were told, can have it removed.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import Connection

from signoff.approvals.factor_errors import CodeUsed, FactorLocked, NotInvited, ProofAsked, Unproven
from signoff.approvals.factors import TOTP, Factors, about, wrong
from signoff.approvals.vault import Vault
from signoff.models import changes, factors
from signoff.models.factors import Factor
from signoff.models.identity import CROCKFORD, new_id
from signoff.models.log import Event, append
from signoff.models.store import MICROSECONDS, Store

RESTS = 86_400 * MICROSECONDS
"""How long a factor rests before it counts."""
INVITED_FOR = 86_400 * MICROSECONDS
BEGUN_FOR = 900 * MICROSECONDS
"""How long somebody has to type the first code."""
CODE = 16
"""Characters of an invitation: 80 bits."""
ISSUER = "Signoff"


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app is told, once: the secret in base 32, and the same as a link."""

    id: str
    secret: str
    link: str


class Enrolments:
    """Changes who has which second factor."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self.taken = Factors(store, vault)
        """Takes the codes."""

    def clock(self) -> int:
        """The database's time, in microseconds since 1970."""
        return self._store.clock()

    def of(self, user_id: str) -> list[Factor]:
        """Somebody's factors that were not removed, oldest first."""
        with self._store.reading() as connection:
            return factors.of(connection, user_id)

    def every(self) -> list[Factor]:
        """Everybody's."""
        with self._store.reading() as connection:
            return factors.every(connection)

    def invite(self, user_id: str, by: str) -> str:
        """A one-time code by which this person may enrol a first factor within a day; `by` is who gives it.

        Those that they were given before count no more.
        """
        code = "".join(secrets.choice(CROCKFORD) for _ in range(CODE))
        with self._store.transaction() as connection:
            at = changes.clock(connection)
            factors.invite(
                connection,
                {
                    "id": str(new_id()), "user_id": user_id, "code_hash": _hash(user_id, code), "by": by,
                    "created_at": at, "expires_at": at + INVITED_FOR,
                },
            )  # fmt: skip
            _tell(connection, "invited", user_id, by, at)
        return "-".join(code[start : start + 4] for start in range(0, CODE, 4))

    def needs_invitation(self, user_id: str) -> bool:
        """Whether this person has no factor that counts: then a code of it cannot be asked for."""
        at = self._store.clock()
        return not any(one.counts(at) for one in self.of(user_id))

    def begin(self, user_id: str, code: str) -> Enrolment:
        """Begin to enrol, by an invitation, or by a code of a factor that counts; `finish` ends it.

        Raises Unproven; a wrong code is counted, of either sort.
        """
        if self.needs_invitation(user_id):
            return self._invited(user_id, code)
        factor, step = self.taken.check(user_id, code)
        with self._store.transaction() as connection:
            factors.lock(connection, user_id)
            if not factors.use(connection, factor.id, step):
                raise CodeUsed
            return self._added(connection, user_id, user_id, changes.clock(connection), done=False)

    def finish(self, user_id: str, factor_id: str, code: str) -> Factor:
        """The person has it: they have typed its first code. It counts after its rest. Raises Unproven."""
        code, error = "".join(code.split()), None
        if not code:
            raise ProofAsked
        with self._store.transaction() as connection:
            guard, at = factors.lock(connection, user_id), changes.clock(connection)
            found = factors.one(connection, factor_id)
            if guard.locked_until > at:
                raise FactorLocked(guard.locked_until)
            if found is None or found.user_id != user_id or found.removed_at or found.confirmed_at:
                raise NotInvited
            if not found.in_force or at - found.created_at > BEGUN_FOR:
                raise NotInvited
            matching = self.taken.matching([found], code, at)
            if matching is None:
                error = wrong(connection, user_id, guard, at)
            elif not factors.confirm(connection, factor_id, at, at + RESTS, matching[1]):
                raise NotInvited
            else:
                _tell(connection, "enrolled", user_id, user_id, at, factor_id)
        if error:
            raise error
        with self._store.reading() as connection:
            done = factors.one(connection, factor_id)
        assert done is not None
        return done

    def enrol(self, user_id: str, by: str) -> Enrolment:
        """A factor for somebody who sits beside the operator. It counts after its rest."""
        with self._store.transaction() as connection:
            return self._added(connection, user_id, by, changes.clock(connection), done=True)

    def remove(self, factor_id: str, by: str) -> bool:
        """Whether there was one: no code of it counts from now on, and what it had begun is over."""
        with self._store.transaction() as connection:
            at, found = changes.clock(connection), factors.one(connection, factor_id)
            if found is None or not factors.remove(connection, factor_id, at):
                return False
            _tell(connection, "removed", found.user_id, by, at, factor_id)
        return True

    def affirm(self, factor_id: str, by: str) -> bool:
        """Whether there was one: it counts after a restore, too, by codes of later than now."""
        with self._store.transaction() as connection:
            at, found = changes.clock(connection), factors.one(connection, factor_id)
            step = factors.step_of(at) + 1
            if found is None or found.in_force or not factors.affirm(connection, factor_id, step):
                return False
            _tell(connection, "affirmed", found.user_id, by, at, factor_id)
        return True

    def _invited(self, user_id: str, code: str) -> Enrolment:
        error: Unproven | None = None
        with self._store.transaction() as connection:
            guard, at = factors.lock(connection, user_id), changes.clock(connection)
            if guard.locked_until > at:
                raise FactorLocked(guard.locked_until)
            if any(one.counts(at) for one in factors.of(connection, user_id)):
                raise NotInvited
            if factors.accept(connection, user_id, _hash(user_id, code), at):
                return self._added(connection, user_id, user_id, at, done=False)
            error = wrong(connection, user_id, guard, at)
        raise error if isinstance(error, FactorLocked) else NotInvited

    def _added(self, connection: Connection, user_id: str, by: str, at: int, *, done: bool) -> Enrolment:
        factor_id, secret = str(new_id()), pyotp.random_base32()
        key, sealed = self._vault.seal(secret, about(factor_id, user_id))
        factors.drop_unconfirmed(connection, user_id, at)
        factors.add(
            connection,
            {
                "id": factor_id, "user_id": user_id, "kind": TOTP, "secret": sealed, "key": key, "by": by,
                "created_at": at, "confirmed_at": at if done else None,
                "counts_from": at + RESTS if done else None,
            },
        )  # fmt: skip
        if done:
            _tell(connection, "enrolled", user_id, by, at, factor_id)
        link = pyotp.TOTP(secret).provisioning_uri(name=f"{user_id} {factor_id[-8:]}", issuer_name=ISSUER)
        return Enrolment(factor_id, secret, link)


def _tell(connection: Connection, what: str, user_id: str, by: str, at: int, factor_id: str = "") -> None:
    """Have people told, and log it, as a transaction's last statements."""
    factors.tell(connection, user_id, what, by, at)
    data = {"what": what, "user": user_id, **({"factor": factor_id} if factor_id else {})}
    append(connection, Event("factor", None, at, by, data))


def _hash(user_id: str, code: str) -> str:
    """Of an invitation, as people type it: bound to who was invited."""
    plain = (
        "".join(one for one in code.upper() if one.isascii() and one.isalnum())
        .replace("O", "0")
        .replace("I", "1")
    )
    return hashlib.sha256(f"{user_id} {plain.replace('L', '1')}".encode()).hexdigest()
