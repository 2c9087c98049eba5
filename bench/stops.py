"""A stop: from the call to the last of 1,000 that wait on one connection told; withdrawn, until it has ended.

    python -m bench.stops

The agent's process is this module, started anew for each measurement.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.decisions import approvals_on
from bench.postgresql import postgresql
from bench.table import Row, verdict
from bench.waits import AGENT, _stand
from signoff import AsyncSignoff, Blocked
from signoff.client.ask import build_request
from signoff.models.stops import OPERATOR, StopScope
from signoff.server import own_redis

MANY = 1000
TOLD_SECONDS = 1.0
"""A target, for all of them."""


async def _wait_all(ids: list[str], ends: bool) -> None:
    """The agent's side: says that all stand, then when the last was told, and ended where all end."""
    told, ended = list[float](), list[float]()

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "is held" in record.getMessage():
                told.append(time.time())

    logger = logging.getLogger("signoff")
    logger.addHandler(Heard())
    logger.propagate = False
    agent = AsyncSignoff()

    async def wait(request_id: str) -> None:
        try:
            await agent.resume(request_id).wait()
        except Blocked:
            ended.append(time.time())

    tasks = [asyncio.create_task(wait(one)) for one in ids]
    await _stand(len(ids))
    print(json.dumps("ready"), flush=True)
    while len(told) < len(ids) or (ends and len(ended) < len(ids)):
        await asyncio.sleep(0.01)
    print(json.dumps([max(told), max(ended, default=None)]), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await agent.close()


def run(many: int = MANY) -> list[Row]:
    """Three rows a database: told, told where all are withdrawn, and ended then."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        folder = Path(name)
        with own_redis.running(folder) as server, postgresql() as url:
            databases = {"SQLite": f"sqlite:///{folder / 'signoff.db'}", "PostgreSQL": url}
            for database, address in databases.items():
                what = f"a stop: the last of {many:,} that wait told, {database}"
                if address is None:
                    rows.append(Row(what, "PostgreSQL is not installed"))
                    continue
                told, _ = _once(address, server.admin_url, many, withdraw=False)
                withdrawn, ended = _once(address, server.admin_url, many, withdraw=True)
                for more, seconds in (("", told), (", withdrawn", withdrawn)):
                    met, target = verdict(seconds < TOLD_SECONDS), f"< {TOLD_SECONDS:g} s"
                    rows.append(Row(what + more, f"{seconds:.2f} s", target=target, verdict=met))
                rows.append(Row(f"a stop: all of them ended, {database}", f"{ended:.2f} s"))
    return rows


def _once(address: str, redis_url: str, many: int, *, withdraw: bool) -> tuple[float, float]:
    """Seconds from the call until the last of them was told, and until the last has ended (0: it waits)."""
    with approvals_on(address, redis_url) as approvals:
        for stop in approvals.stops():
            approvals.resume(stop.id, by=OPERATOR)
        ids = []
        for number in range(many):
            asked = build_request(
                AGENT, "refund.create", {"number": number, "how": withdraw}, {"reversible": True}
            )
            approval = approvals.submit(AGENT, asked[0])
            approvals.tell(approval)
            ids.append(approval.request_id)
        key = approvals._receipts._signer.verify_key
        environment = {
            **os.environ, "SIGNOFF_REDIS_URL": redis_url, "SIGNOFF_AGENT": AGENT, "SIGNOFF_VERIFY_KEY": key
        }  # fmt: skip
        command = [sys.executable, "-m", "bench.stops"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        ) as process:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps([ids, withdraw]).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == "ready"
            start = time.time()
            approvals.stop(StopScope("agent", AGENT), by=OPERATOR, withdraw=withdraw)
            told, ended = json.loads(process.stdout.readline())
            process.wait(30)
    return told - start, (ended or start) - start


if __name__ == "__main__":
    asyncio.run(_wait_all(*json.loads(sys.stdin.readline())))
