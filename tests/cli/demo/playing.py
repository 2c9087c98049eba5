"""A demo as somebody starts it in a terminal, and what of it is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from flows.person import JSON, Someone, text_of
from support import eventually

from signoff.cli.demo.reviewer import action_of
from signoff.sandbox.remote import Remote

ROOT = Path(__file__).parents[3]
ANA = "U0ANA00001"
CHANNEL = "agent-approvals"
SECONDS = 90.0
"""For a start on a machine that has much else to do."""


class Playing:
    """`signoff demo` in a data folder of its own. `folder` is the demo's own."""

    def __init__(self, data: Path) -> None:
        self.data, self.folder = data, data / "demo"
        self.printed = data.with_name("printed")
        self.process: subprocess.Popen[bytes] | None = None
        self.remotes: list[Remote] = []
        # Settings of somebody's own server, which the demo must not touch.
        self.environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "SIGNOFF_DATA": str(data),
            "SIGNOFF_REDIS_URL": "redis://127.0.0.1:1", "SLACK_BOT_TOKEN": "xoxb-own",
            "HTTP_PROXY": "http://127.0.0.1:1",
        }  # fmt: skip

    def start(self) -> None:
        with self.printed.open("wb") as out:
            self.process = subprocess.Popen(
                self._command("--no-browser"), stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env=self.environment, cwd=self.data.parent, start_new_session=True,
            )  # fmt: skip

    def wait(self) -> Remote:
        """The stand-in, once the demo is ready."""
        slack = Remote(str(eventually(self._link, SECONDS)))
        self.remotes.append(slack)
        return slack

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Another `signoff demo` at the same time."""
        return subprocess.run(
            self._command(*options), capture_output=True, text=True, check=False, timeout=SECONDS,
            env=self.environment, cwd=self.data.parent,
        )  # fmt: skip

    def end(self, number: int) -> int:
        """Send the demo alone a signal; its exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """End it, however it is."""
        for slack in self.remotes:
            slack.let_go()
        if self.process and self.process.poll() is None:
            self.end(signal.SIGKILL)

    def said(self) -> str:
        return self.printed.read_text()

    def shell_line(self) -> str:
        """The command that asks from a shell, as it is printed, over several lines."""
        found = re.search(r"\n +(\S+ request (?:.*\\\n)*.*)", self.said())
        assert found, self.said()
        return found[1]

    def heard(self, agent: str) -> list[str]:
        """What one agent has said so far, over all starts."""
        log = self.folder / "logs" / f"{agent}.log"
        return log.read_text().splitlines() if log.exists() else []

    def left(self) -> list[str]:
        """The command lines of all that still runs of it: they have its data folder in their environment."""
        mark, found = os.fsencode(f"SIGNOFF_DATA={self.data}"), []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                pass  # it has just ended
        return found

    def _link(self) -> str | None:
        assert self.process
        assert self.process.poll() is None, self.said()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/\n", self.said())
        return found[1] if found else None

    def _command(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "signoff", "demo", *options]


class Reviewer(Someone):
    """A person who looks for cards by their action."""

    def card(self, action: str) -> JSON:
        """The newest card of an action, in the channel or in a thread of it."""
        found: JSON = eventually(lambda: self._find(action), SECONDS)
        return found

    def until(self, action: str, *words: str) -> None:
        """Wait for the card to say all these words."""

        def says() -> bool:
            return all(word in text_of(self.card(action)) for word in words)

        try:
            eventually(says, SECONDS)
        except AssertionError:
            raise AssertionError(f"{words} not in:\n{text_of(self.card(action))}") from None

    def _find(self, action: str) -> JSON | None:
        tops = self.slack.messages(self.channel)
        replies = [
            m for t in tops if t.get("reply_count") for m in self.slack.messages(self.channel, t["ts"])
        ]
        fits = [
            m for m in [*tops, *replies]
            if (m.get("metadata") or {}).get("event_type") == "signoff_approval"
            and action_of(m) == action
        ]  # fmt: skip
        return fits[-1] if fits else None
