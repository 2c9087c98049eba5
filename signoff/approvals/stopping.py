"""Somebody stops an agent, an action or everything, and somebody else resumes it.

Rows are the truth: who asks, decides or spends is held against them in the same transaction. Guards and gates
that are elsewhere are given a signed statement, which is put into Redis at once and every few seconds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence

from redis.exceptions import RedisError
from sqlalchemy import Connection

from signoff.approvals import authority
from signoff.approvals.announcer import Announcer
from signoff.approvals.endings import Endings
from signoff.approvals.errors import NotAllowed
from signoff.approvals.receipts import Receipts
from signoff.approvals.spend import voided
from signoff.approvals.standing import heeding
from signoff.approvals.stop_errors import MayNotStop, NothingStopped, SamePerson, TooManyStops
from signoff.approvals.verdicts import Judge, everybody
from signoff.errors import Invalid
from signoff.models import changes, crash, stop_rows, stopped_rows, tokens
from signoff.models.approval import Approval
from signoff.models.messages import AGENT, ApprovalRequest, Response
from signoff.models.people import Directory
from signoff.models.stops import MOST_STOPS, OPERATOR, OPERATORS, SIGNOFF, Stop, StopScope
from signoff.models.store import MICROSECONDS, Store
from signoff.models.verdict import Verdict
from signoff.queue.held import Waiting
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

GLOB = re.compile(r"[A-Za-z0-9_.:/@*?-]{1,100}")
LONGEST_REASON = 1000
NAMES = {OPERATOR: "the operator", "api": "the operator", SIGNOFF: "Signoff"}
WOKEN = 25
"""Cards that are redrawn at once; those of more are found by their own timer."""


class Stopping:
    """What is stopped, and who changes that. `admins` (user ids) may stop where no policy says who."""

    def __init__(
        self,
        store: Store,
        judge: Judge,
        receipts: Receipts,
        publisher: Publisher,
        endings: Endings,
        announcer: Announcer,
        directory: Directory,
        admins: Collection[str] = (),
    ) -> None:
        self._store = store
        self._judge = judge
        self._receipts = receipts
        self._publisher = publisher
        self._endings = endings
        self._announcer = announcer
        self._directory = directory
        self._admins = tuple(admins)

    def stop(
        self, scope: StopScope, *, by: str, reason: str = "", undos: bool = False, withdraw: bool = False
    ) -> Stop:
        """Nothing of this runs from now on; what waits is held, or with `withdraw` ends as blocked.

        `by` is a user id, or OPERATOR, API or SIGNOFF; `undos` lets undos run all the same. What is stopped
        so already stays as it is, and is given. Raises MayNotStop, TooManyStops, or Invalid (there is no such
        agent, it is no pattern of actions, or the reason is too long).
        """
        self._check(scope, reason)
        name = self._name(by, scope)
        with self._store.transaction("stop") as connection:
            found = stop_rows.standing(connection)
            same = (one for one in found if one.stands and one.scope == scope and one.undos <= undos)
            stop = next(same, None)
            if stop is None:
                if len(found) >= MOST_STOPS:
                    raise TooManyStops
                stop = stop_rows.add(connection, scope, by, name, reason.strip(), undos=undos)
            held = stopped_rows.stir(connection, stop)
        log.warning("stopped: %s %s by=%s number=%d", stop.kind, stop.scope, by, stop.number)
        self.tell()
        crash.here("stop.told")
        self._tell_held(held)  # all of them at once, before each is ended
        if withdraw:
            self._withdraw(stop)
        self._wake([one.id for one in held])
        self._wake(stopped_rows.stir_granted(self._store, stop))
        return stop

    def resume(self, stop_id: str, *, by: str, staged: bool = False) -> Stop:
        """It runs again, or, `staged`, is asked about from now on, all of it, until it is resumed for good.

        The operator in the shell alone may; of people, and of tokens, another one than who stopped it, unless
        the policy says `resume: any`. Raises MayNotStop, SamePerson or NothingStopped.
        """
        with self._store.reading() as connection:
            stop = stop_rows.get(connection, stop_id)
        if stop is None or stop.ended_at is not None or (staged and stop.staged):
            raise NothingStopped
        name = self.check_resume(stop, by)
        with self._store.transaction("resume") as connection:
            resumed = stop_rows.change(connection, stop, by, name, staged=staged)
            if resumed is None:
                raise NothingStopped
            held = stopped_rows.stir(connection, resumed)
        log.warning("resumed: %s %s by=%s staged=%s", stop.kind, stop.scope, by, staged)
        self.tell()
        crash.here("resume.told")
        self._tell_held(held)
        self._wake([one.id for one in held])
        self._wake(stopped_rows.stir_granted(self._store, resumed))
        return resumed

    def check(self, scope: StopScope, by: str) -> str:
        """The name of who would stop this; raises MayNotStop where they may not."""
        return self._name(by, scope)

    def may(self, scope: StopScope, by: str) -> bool:
        """Whether they may stop this."""
        try:
            self._name(by, scope)
        except MayNotStop:
            return False
        return True

    def check_resume(self, stop: Stop, by: str) -> str:
        """The name of who would resume this; raises MayNotStop or SamePerson where they may not."""
        name = self._name(by, stop.scope)
        if by != OPERATOR and self._judge.policy.stop.resume == "second" and _is_same(stop.by, by):
            raise SamePerson
        return name

    def stops(self) -> tuple[Stop, ...]:
        """What is stopped now, or resumed in part, the first one first."""
        with self._store.reading() as connection:
            return tuple(stop_rows.standing(connection))

    def newest(self, most: int = 100) -> tuple[Stop, ...]:
        """The newest ones, standing or not."""
        with self._store.reading() as connection:
            return tuple(stop_rows.newest(connection, most))

    def holding(self, agent: str, action: str, *, undo: bool = False) -> Stop | None:
        """The stop that stands in the way of this agent's action now."""
        with self._store.reading() as connection:
            return stop_rows.holding(connection, agent, action, undo=undo)

    def judged(self, agent: str, request: ApprovalRequest, verdict: Verdict) -> Verdict:
        """A policy's verdict on what nobody has asked yet, as it is by what is stopped now."""
        with self._store.reading() as connection:
            found = stop_rows.standing(connection)
        return heeding(
            verdict, [one for one in found if one.scope.covers(agent, request.action)], self._judge.policy
        )

    def void(self, approval: Approval) -> Stop | None:
        """The stop for which nothing runs by what was approved."""
        with self._store.reading() as connection:
            return voided(connection, approval)

    def held(self, approval: Approval) -> str | None:
        """Who has stopped what waits, for its agent; None where nobody has."""
        if not approval.any_stop:
            return None
        undo = approval.undoes is not None
        stop = self.holding(approval.agent, approval.action, undo=undo)
        return stop.said if stop else None

    def pending(self, approval: Approval) -> Response:
        """What the agent of a request that waits is told."""
        held, at = self.held(approval), approval.expires_at
        return Response(status="pending", action=approval.action, expires_at=at, held=held)

    def known(self, stop: Stop) -> stopped_rows.Known:
        """What is known of that which was approved before and not yet run."""
        with self._store.reading() as connection:
            return stopped_rows.known(connection, stop)

    def get(self, stop_id: str) -> Stop | None:
        """One of them."""
        with self._store.reading() as connection:
            return stop_rows.get(connection, stop_id)

    def now(self) -> tuple[int, str, tuple[Stop, ...]]:
        """The number of what is stopped now, that signed, and the stops that stand or are staged."""
        with self._store.reading() as connection:
            number = stop_rows.number(connection)
            return number, self._statement(connection), tuple(stop_rows.standing(connection))

    def statement(self) -> str:
        """What is stopped now, signed."""
        with self._store.reading() as connection:
            return self._statement(connection)

    def seen(self, token: str, guard: str, number: int, fresh: int) -> None:
        """A guard has said by this token (its id) that it heeds the statement with this number.

        Raises Invalid for a number that no statement has had.
        """
        with self._store.transaction() as connection:
            if number > stop_rows.number(connection):
                raise Invalid("There is no statement with that number yet.")
            stopped_rows.note_seen(connection, token, guard, number, fresh)

    def tell(self) -> bool:
        """Put what is stopped now where gates and guards read it in Redis; False where that is away.

        To be called every few seconds, too: they believe nothing that is old.
        """
        try:
            with self._store.reading() as connection:
                self._publisher.publish_stops(self._statement(connection))
        except (RedisError, OSError) as error:
            log.warning("what is stopped could not be told in Redis: %s", type(error).__name__)
            return False
        return True

    def _statement(self, connection: Connection) -> str:
        at = changes.clock(connection)
        before = at - int(self._receipts.lifetime.total_seconds()) * MICROSECONDS
        found = stop_rows.since(connection, before)
        return self._receipts.statement(stop_rows.number(connection), found, at=at)

    def _withdraw(self, stop: Stop) -> None:
        """What waits of it ends as blocked; its agent is told who has stopped it."""
        with self._announcer.together():
            for one in stopped_rows.waiting(self._store, stop):
                approval = self._store.get(one.id)
                if approval is not None and approval.pending and not approval.restored:
                    self._endings.end(approval, "blocked", actor=stop.by, reason=stop.said)

    def _tell_held(self, waiting: Sequence[stopped_rows.Waits]) -> None:
        """Agents hear what became of what they wait for. Where Redis is away they hear it once they ask."""
        with self._store.reading() as connection:
            found = stop_rows.standing(connection)
        told = []
        for one in waiting:
            stops = (stop for stop in found if stop.holds(one.agent, one.action, undo=one.undo))
            stop = next(stops, None)
            pending = Response(
                status="pending",
                action=one.action,
                expires_at=one.expires_at,
                held=stop.said if stop else None,
            )
            told.append(Waiting(one.agent, one.request_id, pending))
        try:
            self._publisher.publish_held(told)
        except (RedisError, OSError) as error:
            log.warning("agents were not told of a stop: %s", type(error).__name__)

    def _wake(self, ids: Sequence[str]) -> None:
        for approval_id in ids[:WOKEN]:
            self._announcer.wake("stop", approval_id)

    def _check(self, scope: StopScope, reason: str) -> None:
        match scope.kind:
            case "agent":
                known = AGENT.fullmatch(scope.name) and tokens.known(self._store, scope.name)
                if not known:
                    raise Invalid(f"No agent is called {scope.name[:60]!r}: nothing was stopped.")
            case "action":
                if not GLOB.fullmatch(scope.name):
                    raise Invalid(
                        f"{scope.name[:60]!r} is no pattern of actions: write refund.create or refund.*."
                    )
            case "all":
                if scope.name:
                    raise Invalid("What stops everything has no name.")
        if len(reason) > LONGEST_REASON:
            raise Invalid(f"The reason has {len(reason):,} characters; at most {LONGEST_REASON:,} are taken.")

    def _name(self, by: str, scope: StopScope) -> str:
        """Who that is, if they may; raises MayNotStop."""
        if by in NAMES:
            return NAMES[by]
        policy = self._judge.policy
        if policy.stop.who:
            may = policy.resolve(policy.stop.who)
        else:
            owner = self._judge.owner(self._store, scope.name) if scope.kind == "agent" else None
            may = tuple(dict.fromkeys((*everybody(policy), *self._admins, *([owner] if owner else ()))))
        try:
            return authority.may_decide(by, may, self._directory).name
        except NotAllowed as error:
            raise MayNotStop(approvers=error.approvers) from None


def _is_same(one: str, other: str) -> bool:
    """Whether they count as one: the operator's tokens and shell are one."""
    return one == other or (one in OPERATORS and other in OPERATORS)
