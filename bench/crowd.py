"""Those who are asked by a benchmark's calls: a Redis of its own, on which nobody decides but this.

Calls wait there as they do for a server, whose intake has nothing more to do for them. What ends them is a
rejection: an approval would have to be spent by a server.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any, Self

from bench.raw import Resp
from signoff import Signoff
from signoff.models.messages import Response, moment
from signoff.models.receipt import Receipt
from signoff.payload.canonical import canonical, digest
from signoff.queue import stream
from signoff.receipts import Signer, new_jti, sign
from signoff.server import own_redis

AGENT = "bench"
ASK_SECONDS = 60.0


class People:
    """Inside the `with`: `client` asks them, and so does a process with `environment`."""

    def __init__(self, folder: Path) -> None:
        self._server = own_redis.EmbeddedRedis(folder)
        self._signer = Signer.generate()

    def __enter__(self) -> Self:
        self._server.start()
        self._redis = Resp(self._server.admin_url)
        url, key = self._server.admin_url, self._signer.verify_key
        self.client = Signoff(redis_url=url, agent=AGENT, verify_key=key)
        own = {"SIGNOFF_REDIS_URL": url, "SIGNOFF_AGENT": AGENT, "SIGNOFF_VERIFY_KEY": key}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNOFF_")}
        self.environment = {**kept, **own, "PYTHONPATH": str(Path(__file__).parents[1])}
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._redis.close()
        self._server.stop()

    async def asked(self, count: int) -> None:
        """Until so many requests wait; raises TimeoutError."""
        async with asyncio.timeout(ASK_SECONDS):
            while len(self._waiting()) < count:
                await asyncio.sleep(0.01)

    def reject_all(self) -> None:
        """Reject what waits, and forget it."""
        for request_id in self._waiting():
            said = json.loads(self._redis.call("GET", stream.body(AGENT, request_id)))
            answer = self._rejection(said).encode()
            self._redis.pipeline(
                ("SET", stream.decision(AGENT, request_id), answer, "EX", 3600),
                ("PUBLISH", stream.notification(AGENT, request_id), "1"),
            )
        self._redis.call("DEL", stream.requests(AGENT))

    def _waiting(self) -> set[str]:
        """Their ids; one that no server has taken for two seconds is on the stream more than once."""
        entries = self._redis.call("XRANGE", stream.requests(AGENT), "-", "+")
        return {fields[fields.index(b"id") + 1].decode() for _, fields in entries}

    def _rejection(self, said: dict[str, Any]) -> Response:
        now = int(time.time() * 1_000_000)
        sent = digest(canonical(said["payload"]))
        receipt = Receipt(
            id=said["id"], nonce=said["nonce"], agent=AGENT, action=said["action"], status="rejected",
            version=1, digest_sent=sent, jti=new_jti(), issued_at=moment(now),
            not_after=moment(now + 3_600_000_000),
        )  # fmt: skip
        return Response(status="rejected", receipt=sign(self._signer, receipt))
