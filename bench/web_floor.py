"""The floor of the doors by HTTP: the same hops by hand, behind a bare endpoint of Starlette and uvicorn.

    python -m bench.web_floor SETTINGS.json

The same framework and server, and one sqlite3 and one Redis connection for as many threads as call: each
waits for its turn, which costs a caller that comes alone nothing. No scopes, policy, limits, schema or
canonical JSON.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import sys
from pathlib import Path
from threading import Lock
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.floor_rows import Rows
from bench.raw import Resp


class Floor:
    """The endpoints."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._rows, self._redis = Rows(settings["database"]), Resp(settings["redis"])
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(settings["key"]))
        self._turn = Lock()

    async def ask(self, request: Request) -> Response:
        """Token, commit, the worker's queue, `received` → pending."""
        said, token = await request.json(), request.headers["authorization"]
        return JSONResponse(await run_in_threadpool(self._ask, said, token))

    def _ask(self, said: dict[str, Any], token: str) -> dict[str, Any]:
        with self._turn:
            self._check(token)
            id_ = said["id"]
            self._redis.call("GET", f"floor:dec:{id_}")
            self._rows.submit(said)
            self._redis.pipeline(
                ("HSET", f"floor:job:{id_}", "data", id_), ("EXPIRE", f"floor:job:{id_}", 600),
                ("LPUSH", "floor:queue", id_),
            )  # fmt: skip
            self._redis.pipeline(
                ("SET", f"floor:dec:{id_}", '{"status":"pending"}', "EX", 86400, "NX"),
                ("PUBLISH", f"floor:ntf:{id_}", "1"),
            )
        return {"id": id_, "status": "pending", "action": said["action"]}

    async def spend(self, request: Request) -> Response:
        """Token, signature, `SET NX` → what may run."""
        said, token = await request.json(), request.headers["authorization"]
        return JSONResponse(await run_in_threadpool(self._spend, said, token))

    def _spend(self, said: dict[str, Any], token: str) -> dict[str, Any]:
        with self._turn:
            self._check(token)
            signed, _, signature = said["receipt"].rpartition(".")
            self._key.verify(_decoded(signature), signed.encode())
            claims = json.loads(_decoded(signed.partition(".")[2]))
            text = json.dumps(said["payload"], sort_keys=True, separators=(",", ":"))
            assert claims["digest"] == hashlib.sha256(text.encode()).hexdigest()
            first = self._redis.call("SET", f"floor:spent:{claims['sub']}", said["by"], "NX", "EX", 86400)
        assert first == b"OK"
        return {name: said[name] for name in ("action", "payload", "by")} | {"agent": claims["aud"]}

    def _check(self, header: str) -> None:
        """Who calls, by the SHA-256 in a row."""
        text = header.removeprefix("Bearer ")
        found = self._rows.token(text.split("_")[1])
        assert hmac.compare_digest(found, hashlib.sha256(text.encode()).hexdigest())


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main(settings: dict[str, Any]) -> None:
    """Say at which port, and serve, until the process is ended."""
    floor = Floor(settings)
    app = Starlette(routes=[
        Route("/v1/requests", floor.ask, methods=["POST"]),
        Route("/v1/receipts/spend", floor.spend, methods=["POST"]),
    ])  # fmt: skip
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", access_log=False,
        log_level="error", server_header=False,
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(door.getsockname()[1], flush=True)
        asyncio.run(uvicorn.Server(config).serve(sockets=[door]))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
