"""An agent of the Claude Agent SDK whose shell commands people decide about; its model is played, offline.

signoff demo                        # or any other server
python examples/claude_agent.py     # waits for you

With a key of your own leave `played()` out, and the model is the real one.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query

from signoff import Signoff
from signoff.adapters.claude_agent_sdk import hooks


async def main(env: dict[str, str]) -> str:
    """What the agent says at last."""
    with tempfile.TemporaryDirectory() as folder:
        options = ClaudeAgentOptions(
            allowed_tools=["Bash"],
            hooks=hooks(Signoff(), ["Bash"], tags=["production"]),
            cwd=folder,
            env={**env, "CLAUDE_CONFIG_DIR": f"{folder}/.claude"},
        )
        said = ""
        async for message in query(prompt="Say hello in a file.", options=options):
            if isinstance(
                message, ResultMessage
            ):  # the last one: a stream that is left early ends with an error
                said = message.result or ""
        return said


def said(block: dict[str, Any]) -> str:
    """The text of a block, or of a tool's result."""
    content = block.get("content", block.get("text", ""))
    if isinstance(content, str):
        return content
    return "\n".join(said(part) for part in content)


class Model(BaseHTTPRequestHandler):
    """What a model would do: run one command, and repeat what it was told of it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Stream one message, as the Messages API does."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        blocks = [block for one in asked["messages"] for block in one["content"] if isinstance(block, dict)]
        told = [
            said(block) for block in blocks if block["type"] == "tool_result" or "PreToolUse" in str(block)
        ]
        block: dict[str, Any] = {"type": "text", "text": "\n".join(told) or "ok"}
        delta = {"type": "text_delta", "text": block["text"]}
        if asked.get("tools") and not told:
            command = {"command": "echo hello > hello.txt && cat hello.txt", "description": "Greets"}
            block = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(command)}
        stop = "tool_use" if block["type"] == "tool_use" else "end_turn"
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "played", "content": []}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": {**block, "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage},
            {"type": "message_stop"},
        ]
        body = "".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(body.encode())


@contextmanager
def played() -> Iterator[dict[str, str]]:
    """The environment in which Claude Code talks with the model above."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}",
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        server.shutdown()


if __name__ == "__main__":
    with played() as env:
        print(asyncio.run(main(env)))
