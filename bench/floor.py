"""The floor: the hops of the road in as many processes, each written by hand on sockets and sqlite3.

    python -m bench.floor stand-in|bot|intake|worker SETTINGS.json

    agent ── XADD ─▶ Redis ─▶ intake ── commit ── LPUSH ─▶ Redis ─▶ worker ── lease ── HTTP POST ─▶ stand-in
    person ── HTTP POST ─▶ stand-in ── WebSocket ─▶ bot ── commit ── MULTI ─▶ Redis ─▶ agent ── GET, verify

It writes the same rows with the same durability, signs and verifies, and checks nothing else: no policy, no
roles, no schema, no limits, no faults. What Signoff costs above it is what those cost, and the libraries.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.floor_rows import Rows
from bench.raw import Reader, Resp, answer, connect, post, read_frame, read_http, send_frame

JSON = dict[str, Any]
REQUESTS, QUEUE, GROUP = "floor:req", "floor:queue", "intake"


class StandIn:
    """Takes messages and clicks by HTTP, and passes clicks to the bot, which came first."""

    def __init__(self, settings: JSON) -> None:
        self._messages: dict[str, JSON] = {}
        self._listener = socket.create_server(("127.0.0.1", settings["port"]))
        self._bot: Reader | None = None

    def run(self) -> None:
        """For ever."""
        while True:
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._bot is None:
                self._bot = Reader(connection)
            else:
                threading.Thread(target=self._serve, args=(Reader(connection),), daemon=True).start()

    def _serve(self, source: Reader) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                first, body = read_http(source)
                at, said = time.time(), json.loads(body)
                if b"/act" in first:
                    answer(source.socket, self._click(said))
                elif b"/card" in first:
                    answer(source.socket, {"at": self._messages.get(said["id"], {}).get("at")})
                else:
                    id_ = said["metadata"]["event_payload"]["approval_id"]
                    self._messages[id_] = {**said, "at": at}
                    answer(source.socket, {"ok": True, "ts": str(at)})

    def _click(self, said: JSON) -> JSON:
        message = self._messages[said["id"]]
        payload = {
            "type": "block_actions",
            "user": {"id": said["user"]},
            "message": message,
            "actions": [said],
        }
        envelope = {"type": "interactive", "envelope_id": said["id"], "payload": payload}
        assert self._bot is not None
        send_frame(self._bot.socket, json.dumps(envelope).encode(), masked=False)
        return {"ok": True, "acked": bool(json.loads(read_frame(self._bot)))}


def bot(settings: JSON) -> None:
    """Click → commit → answer in Redis → acknowledgement."""
    rows, redis = Rows(settings["database"]), Resp(settings["redis"])
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings["key"]))
    source = Reader(connect("127.0.0.1", settings["port"]))
    while True:
        envelope = json.loads(read_frame(source))
        click = envelope["payload"]["actions"][0]
        id_, user = click["id"], envelope["payload"]["user"]["id"]
        _, digest, text, version = rows.approval(id_)
        claims = {"sub": id_, "status": "approved", "version": version, "digest": digest, "decided_by": user}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode())
        token = (body + b"." + base64.urlsafe_b64encode(key.sign(body))).decode()
        now = rows.decide(id_, user, token)
        redis.pipeline(
            ("MULTI",),
            ("SET", f"floor:dec:{id_}", json.dumps({"receipt": token, "payload": text}), "EX", 86400),
            ("XADD", "floor:dec", "MINID", "~", now // 1000 - 86_400_000, "*", "id", id_),
            ("EXPIRE", "floor:dec", 86400),
            ("PUBLISH", f"floor:ntf:{id_}", "1"),
            ("EXEC",),
        )
        rows.published(id_)
        redis.call("LPUSH", "floor:redraw", id_)
        send_frame(source.socket, json.dumps({"envelope_id": envelope["envelope_id"]}).encode(), masked=True)


def intake(settings: JSON) -> None:
    """Stream entry → commit → the worker's queue, then `received`, then the ack."""
    rows, redis = Rows(settings["database"]), Resp(settings["redis"])
    redis.call("XGROUP", "CREATE", REQUESTS, GROUP, "0", "MKSTREAM")
    while True:
        found = redis.call(
            "XREADGROUP", "GROUP", GROUP, "1", "COUNT", 10, "BLOCK", 0, "STREAMS", REQUESTS, ">"
        )
        for entry, fields in found[0][1]:
            request = json.loads(fields[fields.index(b"body") + 1])
            rows.submit(request)
            redis.call("LPUSH", QUEUE, request["id"])
            id_ = request["id"]
            redis.pipeline(
                ("SET", f"floor:dec:{id_}", '{"status":"pending"}', "EX", 86400, "NX"),
                ("PUBLISH", f"floor:ntf:{id_}", "1"),
                ("XACK", REQUESTS, GROUP, entry),
                ("XDEL", REQUESTS, entry),
            )


def worker(settings: JSON) -> None:
    """Queue → the row, its card's lease → chat.postMessage."""
    rows, redis = Rows(settings["database"]), Resp(settings["redis"])
    sink = connect("127.0.0.1", settings["port"])
    source = Reader(sink)
    while True:
        id_ = redis.call("BLPOP", QUEUE, 0)[1].decode()
        rows.approval(id_)
        rows.lease(id_)
        metadata = {"event_type": "floor", "event_payload": {"approval_id": id_}}
        post(sink, "/api/chat.postMessage", json.dumps({**settings["card"], "metadata": metadata}).encode())
        read_http(source)


if __name__ == "__main__":
    role, given = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    if role == "stand-in":
        StandIn(given).run()
    else:
        {"bot": bot, "intake": intake, "worker": worker}[role](given)
