"""What happened, counted: from the audit log, which has each thing once, and from rows that wait.

Whoever counts reads the log on from where it stopped, so that each process that counts comes to the same
figures, and none of them asks for all rows again and again.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from signoff.models import stop_rows, stopped_rows
from signoff.models.door_tables import WebhookDeliveryRow, WebhookEndpointRow
from signoff.models.log import events
from signoff.models.store import MICROSECONDS, Store, approvals, now
from signoff.models.undone import TAKEN_SECONDS

DECIDED_SECONDS = (5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
"""Bounds of how long a card stood before somebody decided."""
DELIVERED_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
"""Bounds of how long a request waited for its card."""
WAITING_SECONDS = (60, 300, 3600, 4 * 3600, 24 * 3600)
"""Bounds of how long what waits has waited."""
CHUNK = 5000
_KINDS = (
    "submit", "verdict", "shown", "decision", "receipt", "adopted", "outcome", "spend", "guard", "feedback",
    "held", "stop", "resume",
)  # fmt: skip
_first = approvals.alias("undone")
_LINES = (
    select(
        events.c.seq,
        events.c.kind,
        events.c.at,
        events.c.data,
        approvals.c.created_at,
        _first.c.verdict.label("undoes"),
    )
    .outerjoin(approvals, approvals.c.id == events.c.approval_id)
    .outerjoin(_first, _first.c.id == approvals.c.undoes)
    .where(events.c.seq > bindparam("after"), events.c.kind.in_(_KINDS))
    .order_by(events.c.seq)
    .limit(CHUNK)
)
_PENDING = approvals.c.status == literal_column("'pending'")
_AGES = select(now() - approvals.c.created_at).where(_PENDING)
_UNSHOWN = select(func.count(), func.min(approvals.c.created_at), now()).where(
    approvals.c.shown_at.is_(None), approvals.c.delivered_revision < approvals.c.revision
)
_UNTOLD = select(func.count()).where(approvals.c.published_at.is_(None), approvals.c.ended_at.is_not(None))
_UNTAKEN = select(func.count()).where(
    approvals.c.undoes.is_not(None),
    approvals.c.status == literal_column("'approved'"),
    approvals.c.spent_at.is_(None),
    approvals.c.outcome_at.is_(None),
    approvals.c.ended_at <= now() - literal_column(str(TAKEN_SECONDS * MICROSECONDS)),
    approvals.c.receipt_expires_at > now(),
)
deliveries: Any = WebhookDeliveryRow.__table__  # type: ignore[attr-defined]
endpoints: Any = WebhookEndpointRow.__table__  # type: ignore[attr-defined]
_HOOKS = select(func.count(), func.min(deliveries.c.due_at), now()).where(deliveries.c.due_at.is_not(None))
_DONE = select(func.count(), func.count(deliveries.c.fault)).where(deliveries.c.ended_at.is_not(None))
_OFF = select(func.count()).where(endpoints.c.off_at.is_not(None))


@dataclass
class Spread:
    """How many values were at most each of the bounds, how many in all, and their sum."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    sum: float = 0

    def add(self, value: float) -> None:
        """One value more."""
        self.counts = self.counts or [0] * (len(self.bounds) + 1)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus has them: how many are at most each bound."""
        found, total = [], 0
        names = [f"{bound:g}" for bound in self.bounds] + ["+Inf"]
        for name, count in zip(names, self.counts or [0] * len(names), strict=True):
            total += count
            found.append((name, float(total)))
        return found


@dataclass
class Waiting:
    """What waits now. Ages are in seconds; 0 where nothing waits. `untaken` are undos that no process took
    within 30 s, and that one still may. `stopped` are stops that stand, or are resumed in part,
    `late_guards` guards that have not heard of them. Webhooks sent and failed are those of the last 30 days,
    as far as that is known.
    """

    ages: Spread
    undelivered: int
    undelivered_age: float
    untold: int
    untaken: int
    webhooks: int
    webhooks_age: float
    webhooks_off: int
    webhooks_sent: int
    webhooks_failed: int
    stopped: int
    late_guards: int


class Figures:
    """Counts what the log tells of; thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._seq = 0
        self.verdicts: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.questions: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.feedback: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.undone: Counter[str] = Counter()
        """What agents have reported as undone, by the rule that had let it run."""
        self.undos: Counter[str] = Counter(asked=0, undone=0, failed=0)
        self.held: Counter[str] = Counter()
        """What was to run after a while and is asked about, by why."""
        self.decided = Spread(DECIDED_SECONDS)
        self.delivered = Spread(DELIVERED_SECONDS)

    def read(self) -> None:
        """Count what was written since; the database's errors pass."""
        with self._lock:
            while True:
                with self._store.reading() as connection:
                    found = connection.execute(_LINES, {"after": self._seq}).all()
                for line in found:
                    self._count(line)
                if len(found) < CHUNK:
                    return

    def waiting(self) -> Waiting:
        """What waits now; the database's errors pass."""
        with self._store.reading() as connection:
            ages = connection.execute(_AGES).scalars().all()
            unshown, first, here = connection.execute(_UNSHOWN).one()
            untold = connection.execute(_UNTOLD).scalar_one()
            untaken = connection.execute(_UNTAKEN).scalar_one()
            hooks, due, at = connection.execute(_HOOKS).one()
            off = connection.execute(_OFF).scalar_one()
            done, failed = connection.execute(_DONE).one()
            stopped, late = stop_rows.standing(connection), stopped_rows.stale(connection)
        spread = Spread(WAITING_SECONDS)
        for age in ages:
            spread.add(age / MICROSECONDS)
        hooked = (hooks, _age(due, at), off, done - failed, failed)
        return Waiting(
            spread, unshown, _age(first, here), untold, untaken, *hooked, len(stopped), len(late)
        )  # fmt: skip

    def _count(self, line: Any) -> None:
        self._seq = line.seq
        self.counts[line.kind] += 1
        match line.kind:
            case "submit":
                data = json.loads(line.data)
                if why := data.get("why"):
                    self.questions[why] += 1
                self.undos["asked"] += data.get("undoes") is not None
            case "held":
                self.held[json.loads(line.data)["why"]] += 1
            case "verdict":
                self.verdicts[json.loads(line.data)["effect"]] += 1
            case "receipt" | "adopted":
                self.ends[str(json.loads(line.data).get("status", "adopted"))] += 1
            case "outcome":
                self._report(json.loads(line.data)["succeeded"], line.undoes)
            case "feedback":
                self.feedback[json.loads(line.data)["answer"]] += 1
            case "decision":
                shown_for = json.loads(line.data).get("shown_for_ms")
                if shown_for is not None:
                    self.decided.add(shown_for / 1000)
            case "shown" if line.created_at is not None and json.loads(line.data)["revision"] == 1:
                self.delivered.add(max(0, line.at - line.created_at) / MICROSECONDS)

    def _report(self, succeeded: bool, undoes: str | None) -> None:
        """An outcome; `undoes` is the verdict by which what it undoes was let run."""
        if undoes is None:
            self.outcomes["done" if succeeded else "failed"] += 1
            return
        self.outcomes["undone" if succeeded else "not undone"] += 1
        self.undos["undone" if succeeded else "failed"] += 1
        self.undone[json.loads(undoes).get("rule", "")] += succeeded


def _age(since: int | None, here: int) -> float:
    return max(0.0, (here - since) / MICROSECONDS) if since is not None else 0.0
