"""The five sample agents as processes: started one after the other, their lines carried on as they come."""

from __future__ import annotations

import itertools
import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from signoff.cli.demo.agents.cases import FIRST_TICKET
from signoff.cli.demo.stage import Stage
from signoff.queue.data_folder import write_private
from signoff.sandbox.remote import Remote
from signoff.server import processes

AGENTS = {
    "billing-bot": "billing",
    "data-bot": "database",
    "support-bot": "support",
    "infra-bot": "infra",
    "release-bot": "release",
}
"""By the name under which they ask: the module in `agents`. The one in a hurry comes last."""
LOOK_SECONDS = 0.5
PAUSES = (15.0, 40.0, 25.0, 60.0)
"""Seconds without a request once all have been answered, in turn."""
Hear = Callable[[str, str], None]


@dataclass
class _Agent:
    """One that runs: `rest` is a line that has not ended yet, `last` the one before."""

    name: str
    process: subprocess.Popen[bytes]
    rest: bytes = b""
    last: str = ""


class Troupe:
    """All of them. `ended` hears an agent's name and its last line when its ticket is done.

    Each works on a ticket. One that was stopped meanwhile works on the same ticket next time, so that it
    waits for the card that still stands; whoever is done takes the next. Once nobody waits any more they go
    on asking, one at a time and after a pause; not where nobody has done anything since the last time: what
    nobody looks at must not pile up.
    """

    def __init__(self, stage: Stage, ended: Hear, pauses: Sequence[float] = PAUSES) -> None:
        self._stage, self._ended = stage, ended
        self._slack = Remote(stage.url)
        self._work, self._logs = stage.folder / "work", stage.folder / "logs"
        self._tickets = _Tickets(stage.folder / "tickets.json")
        self._waiting, self._turn = list(AGENTS), list(AGENTS)
        self._pauses, self._quiet_since, self._acts = itertools.cycle(pauses), time.monotonic(), 0
        self._pause = next(self._pauses)
        self._selector = selectors.DefaultSelector()
        self._agents: dict[str, _Agent] = {}

    def look(self) -> None:
        """Start who is next, and carry on what was said; returns after a moment."""
        if self._waiting and all(agent.last for agent in self._agents.values()):
            self._start(self._waiting.pop(0))
        elif not self._agents and time.monotonic() - self._quiet_since > self._pause:
            self._go_on()
        for key, _ in self._selector.select(LOOK_SECONDS):
            self._read(key.data)

    def close(self) -> None:
        """End those that still wait."""
        processes.stop([agent.process for agent in self._agents.values()], 1.0)
        self._selector.close()
        self._slack.let_go()

    def _go_on(self) -> None:
        """Have the next one ask, where somebody is there to answer."""
        self._quiet_since = time.monotonic()
        with suppress(OSError, HTTPException, LookupError):  # a stand-in that is gone is noticed elsewhere
            acts = self._slack.state()["acts"]
            if acts > self._acts:
                self._acts, self._pause = acts, next(self._pauses)
                self._turn.append(self._turn.pop(0))
                self._start(self._turn[-1])

    def _start(self, name: str) -> None:
        for folder in (self._work, self._logs):
            folder.mkdir(exist_ok=True, mode=0o700)
        process = self._stage.start(
            str(self._tickets.of(name)), module=f"signoff.cli.demo.agents.{AGENTS[name]}", cwd=self._work,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            more=self._stage.agent(name),
        )  # fmt: skip
        agent = self._agents[name] = _Agent(name, process)
        assert process.stdout
        self._selector.register(process.stdout, selectors.EVENT_READ, agent)

    def _read(self, agent: _Agent) -> None:
        assert agent.process.stdout
        found = os.read(agent.process.stdout.fileno(), 65536)
        *lines, agent.rest = (agent.rest + found).split(b"\n")
        if not found and agent.rest:
            lines.append(agent.rest)
        for line in lines:
            agent.last = line.decode(errors="replace")
            self._tell(agent.name, agent.last)
        if not found:
            self._selector.unregister(agent.process.stdout)
            agent.process.stdout.close()
            agent.process.wait()
            del self._agents[agent.name]
            self._quiet_since = time.monotonic()
            self._tickets.done(agent.name)
            self._ended(agent.name, agent.last)

    def _tell(self, name: str, line: str) -> None:
        """To its log, and to its pane beside the page."""
        with (self._logs / f"{name}.log").open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")
        # Where it cannot be told, the line is in the log; a stand-in that is gone is noticed elsewhere.
        with suppress(OSError, HTTPException, LookupError):
            self._slack.tell(name, line)


class _Tickets:
    """Which ticket each agent works on, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}

    def of(self, name: str) -> int:
        return self._numbers.get(name, FIRST_TICKET)

    def done(self, name: str) -> None:
        self._numbers[name] = self.of(name) + 1
        write_private(self._path, json.dumps(self._numbers))
