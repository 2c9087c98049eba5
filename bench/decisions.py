"""Decisions a second: authority, transaction, signature and publication, on each database."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import redis

from bench.floor_rows import Rows
from bench.postgresql import postgresql
from bench.raw import Resp
from bench.table import Row
from bench.timer import median
from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.client.ask import build_request
from signoff.models import migrate
from signoff.models.engine import open_engine
from signoff.models.identity import new_id
from signoff.models.people import Person
from signoff.models.store import Store
from signoff.policy.policy import Policy
from signoff.queue.publisher import Publisher
from signoff.receipts import Signer
from signoff.server import own_redis

APPROVER = "U0ANA00001"
PAYLOAD = {"customer": "cus_42", "amount": 120, "currency": "EUR", "ticket": "991"}


class Everybody:
    """A Directory to whom all are members: Slack is not what is measured."""

    def home(self) -> tuple[str, str]:
        """One workspace."""
        return "T1", ""

    def person(self, user_id: str) -> Person:
        """A full member."""
        return Person(user_id, "ana", team_id="T1")

    def group(self, group_id: str) -> Collection[str]:
        """Nobody's."""
        return ()


def run(rounds: int, count: int) -> list[Row]:
    """A row a database; `count` decisions each round."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        folder = Path(name)
        with own_redis.running(folder) as server:
            sqlite = f"sqlite:///{folder / 'signoff.db'}"
            ours, theirs = [], []
            with (
                approvals_on(sqlite, server.admin_url) as approvals,
                _floor(folder, server.admin_url) as floor,
            ):
                for _ in range(rounds):
                    ours.append(_rate(approvals, count, threads=1))
                    theirs.append(floor(count))
            ratio = median([below / above for above, below in zip(ours, theirs, strict=True)])
            rows = [
                Row(
                    "decisions a second, SQLite",
                    f"{median(ours):,.0f}",
                    f"{median(theirs):,.0f}",
                    f"{ratio:.2f}",
                )
            ]
            with postgresql() as url:
                for threads in (1, 4):
                    what = f"decisions a second, PostgreSQL, {threads} at once"
                    if url is None:
                        rows.append(Row(what, "PostgreSQL is not installed"))
                        continue
                    with approvals_on(url, server.admin_url) as approvals:
                        rates = [_rate(approvals, count, threads) for _ in range(rounds)]
                    rows.append(Row(what, f"{median(rates):,.0f}"))
            return rows


@contextmanager
def approvals_on(url: str, redis_url: str, signer: Signer | None = None) -> Iterator[Approvals]:
    """Approvals on a database, which is brought up to date, and a Redis; it signs with this key, or any."""
    engine = open_engine(url)
    migrate.upgrade(engine)
    policy = Policy(approvers=(APPROVER,), conversation="C0APPROVE1")
    client, receipts = redis.Redis.from_url(redis_url), Receipts(signer or Signer.generate(), hours=24)
    yield Approvals(
        Store(engine), receipts, Publisher(client, receipts.lifetime),
        lambda: policy, Everybody(), lambda approval_id: None,
    )  # fmt: skip
    engine.dispose()
    client.close()


def _rate(approvals: Approvals, count: int, threads: int) -> float:
    ids = []
    for _ in range(count):
        request = build_request("bench", "refund.create", PAYLOAD, {})[0]
        ids.append(approvals.submit("bench", request).id)
    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        list(pool.map(lambda id_: approvals.decide(id_, 1, APPROVER, "approve"), ids))
        return count / (time.perf_counter() - start)


@contextmanager
def _floor(folder: Path, redis_url: str) -> Iterator[Callable[[int], float]]:
    path = folder / "floor.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    rows, client = Rows(str(path)), Resp(redis_url)

    def rate(count: int) -> float:
        ids = [str(new_id()) for _ in range(count)]
        for id_ in ids:
            rows.submit({"id": id_, "action": "refund.create", "payload": PAYLOAD})
        start = time.perf_counter()
        for id_ in ids:
            _, digest, text, _ = rows.approval(id_)
            now = rows.decide(id_, APPROVER, digest * 8)
            client.pipeline(
                ("MULTI",),
                ("SET", f"floor:dec:{id_}", text, "EX", 86400),
                ("XADD", "floor:dec", "MINID", "~", now // 1000 - 86_400_000, "*", "id", id_),
                ("EXPIRE", "floor:dec", 86400),
                ("PUBLISH", f"floor:ntf:{id_}", "1"),
                ("EXEC",),
            )
            rows.published(id_)
        return count / (time.perf_counter() - start)

    yield rate
    rows.close()
    client.close()
