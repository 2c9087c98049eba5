"""The real Claude Code CLI, offline: a loopback fake of the model that it talks to, and a home of its own.

    with fake_model([ToolUse("Bash", {"command": "date"})], "It is noon.") as model:
        ran = Claude(tmp_path, model).run("What time is it?", settings={...})
    assert ran.result == "It is noon."
    assert "noon" in model.told()

Each turn of the script answers one request of the main loop: a text, or a list of texts and tool uses. What
the CLI asks besides, such as a title, is answered with a word and not counted. The CLI is the one that comes
in claude-agent-sdk's wheel.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import claude_agent_sdk

BINARY = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
MODEL = "claude-sonnet-4-5"
RUN_SECONDS = 60
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: whatever else the CLI would call, it does not reach."""


@dataclass(frozen=True)
class ToolUse:
    """The model calls a tool; without an `id` it gets the next one."""

    name: str
    input: Mapping[str, Any]
    id: str = ""


Turn = str | Sequence[str | ToolUse]


class FakeModel:
    """What the model says, in turn, and what it was sent. When the script is over it says `Done.`"""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = list(turns)
        self._lock, self._numbers = threading.Lock(), count(1)
        self.url = ""
        self.heard: list[dict[str, Any]] = []
        """The bodies of the main loop's requests, in their order."""

    def say(self, *turns: Turn) -> None:
        """Have it say this next, after what is left of the script."""
        with self._lock:
            self._turns.extend(turns)

    def told(self) -> str:
        """All that the last request of the main loop held in its messages, as JSON text."""
        return json.dumps(self.heard[-1]["messages"], ensure_ascii=False) if self.heard else ""

    def results(self) -> list[dict[str, Any]]:
        """Every tool_result block in the last request of the main loop, in order."""
        return [
            block
            for message in (self.heard[-1]["messages"] if self.heard else ())
            if isinstance(message["content"], list)
            for block in message["content"]
            if block.get("type") == "tool_result"
        ]

    def answer(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The blocks that answer a request."""
        if not body.get("tools"):
            return [{"type": "text", "text": "ok"}]
        with self._lock:
            self.heard.append(body)
            turn = self._turns.pop(0) if self._turns else "Done."
            return [self._block(one) for one in ([turn] if isinstance(turn, str) else turn)]

    def _block(self, said: str | ToolUse) -> dict[str, Any]:
        if isinstance(said, str):
            return {"type": "text", "text": said}
        call = said.id or f"toolu_{next(self._numbers):04}"
        return {"type": "tool_use", "id": call, "name": said.name, "input": dict(said.input)}


class _Handler(BaseHTTPRequestHandler):
    """Speaks as much of the Messages API as the CLI needs."""

    protocol_version = "HTTP/1.1"
    model: FakeModel

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._send({}, empty=True)

    def do_GET(self) -> None:
        self._send({"data": []})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        if "count_tokens" in self.path:
            self._send({"input_tokens": 10})
        elif not self.path.startswith("/v1/messages"):
            self._send({})
        else:
            blocks = self.model.answer(body)
            self._stream(blocks) if body.get("stream") else self._send(_message(blocks))

    def _send(self, said: dict[str, Any], *, empty: bool = False) -> None:
        data = b"" if empty else json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, blocks: list[dict[str, Any]]) -> None:
        text = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in _events(blocks))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


def _message(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    stop = "tool_use" if any(one["type"] == "tool_use" for one in blocks) else "end_turn"
    return {
        "id": "msg_" + os.urandom(8).hex(), "type": "message", "role": "assistant", "model": MODEL,
        "content": blocks, "stop_reason": stop, "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 10},
    }  # fmt: skip


def _events(blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    whole = _message(blocks)
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    for index, block in enumerate(blocks):
        if block["type"] == "text":
            empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta", "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
        "usage": {"output_tokens": 10},
    }  # fmt: skip
    yield {"type": "message_stop"}


@contextmanager
def fake_model(*turns: Turn) -> Iterator[FakeModel]:
    """A model that listens on the loopback inside the `with`."""
    model = FakeModel(turns)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"model": model}))
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}"
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    running.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        running.join(20)


@dataclass(frozen=True)
class Ran:
    """What a run of the CLI came to. `said` is its JSON result, {} where it printed none."""

    code: int
    out: str
    err: str
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """The model's last text."""
        return str(self.said.get("result", ""))

    @property
    def session(self) -> str:
        """The session's id, for `resume`."""
        return str(self.said.get("session_id", ""))


class Claude:
    """A person's Claude Code with a home, a project's folder and settings of the test's own.

    `env` is what its hooks find besides; nothing of this process's own environment but PATH and the locale.
    """

    def __init__(self, folder: Path, model: FakeModel, env: Mapping[str, str] | None = None) -> None:
        self.home, self.project = folder / "home", folder / "project"
        for one in (self.home, self.project):
            one.mkdir(parents=True, exist_ok=True)
        self._model, self._env = model, dict(env or {})

    @property
    def env(self) -> dict[str, str]:
        """Its whole environment; `ClaudeAgentOptions(env=…)` takes it too."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.home / ".claude"),
            "ANTHROPIC_BASE_URL": self._model.url,
            "ANTHROPIC_API_KEY": "sk-ant-fake",
            "ANTHROPIC_MODEL": MODEL,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_AUTOUPDATER": "1",
            "HTTP_PROXY": NOWHERE,
            "HTTPS_PROXY": NOWHERE,
            "NO_PROXY": "127.0.0.1,localhost",
            **self._env,
        }

    def start(
        self, prompt: str = "Go on.", *, settings: Mapping[str, Any] | None = None, resume: str = "",
        allowed: Sequence[str] = ("Bash",), more: Sequence[str] = (),
    ) -> subprocess.Popen[str]:  # fmt: skip
        """`claude -p`, begun; `allowed` are the tools that it runs without asking."""
        command = [str(BINARY), "-p", prompt, "--output-format", "json"]
        command += ["--settings", json.dumps(settings)] if settings is not None else []
        command += [f"--resume={resume}"] if resume else []
        command += ["--allowedTools", ",".join(allowed)] if allowed else []
        return subprocess.Popen(
            [*command, *more], cwd=self.project, env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, prompt: str = "Go on.", **more: Any) -> Ran:
        """`claude -p`, to its end."""
        return ended(self.start(prompt, **more))


def ended(process: subprocess.Popen[str], seconds: float = RUN_SECONDS) -> Ran:
    """A run that was started, once it has ended."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    try:
        said = json.loads(out)
    except ValueError:
        said = {}
    return Ran(process.returncode, out, err, said if isinstance(said, dict) else {})
