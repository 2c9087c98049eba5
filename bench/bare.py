"""The least that a click can wake: a Bolt app, and a waiter in its own memory.

    python -m bench.bare SETTINGS.json

Nobody may decide or may not, nothing is written, signed or checked; at a restart all of it is lost. It posts
as many cards as a line of its standard input says, and answers a line: `{"ts"}`, where they stand. Where it
was one it waits, and answers another: `{"woken"}`, the clock at which the click had woken it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler


def run(settings: dict[str, Any]) -> None:
    """Until standard input ends."""
    app = App(
        token=settings["bot_token"],
        client=_client(settings),
        process_before_response=True,  # else each acknowledgement takes Bolt 10 ms
    )
    clicked = threading.Event()

    @app.action("approve")
    def approve(ack: Any) -> None:
        clicked.set()
        ack()

    SocketModeHandler(app, settings["app_token"]).connect()  # type: ignore[no-untyped-call]
    _say(ready=True)
    for line in sys.stdin:
        clicked.clear()
        posted = [
            app.client.chat_postMessage(channel=settings["channel"], **settings["card"])
            for _ in range(int(line))
        ]
        _say(ts=[one["ts"] for one in posted])
        if len(posted) == 1:
            clicked.wait()
            _say(woken=time.perf_counter())


def _client(settings: dict[str, Any]) -> Any:
    from slack_sdk import WebClient

    return WebClient(settings["bot_token"], base_url=settings["api_url"])


def _say(**said: Any) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text()))
