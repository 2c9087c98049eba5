"""`signoff demo --auto`: three sample agents, and a reviewer who decides by script; nothing is kept."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from http.client import HTTPException
from pathlib import Path

from signoff.cli.demo.reviewer import Reviewer, Unexpected
from signoff.cli.demo.stage import START_SECONDS, Failed, Stage
from signoff.sandbox.remote import Remote
from signoff.server import processes

AGENTS = ("billing", "database", "support")
TICKET = "991"


def run() -> int:
    """Play it once; 0 when all went as told, else 1. Nothing is left running or lying about."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all is cleared away
    with tempfile.TemporaryDirectory(prefix="signoff-demo-") as name:
        stage = Stage(Path(name))
        try:
            _play(stage)
            return 0
        except (Failed, Unexpected, OSError, HTTPException, LookupError) as error:
            print(f"signoff: the demo failed: {error}.", file=sys.stderr)
            print(stage.tail(), file=sys.stderr)
            return 1
        finally:
            stage.close()


def _play(stage: Stage) -> None:
    _tell("Slack's stand-in, a Redis, the database and Signoff's server start on this machine")
    stage.open()
    slack = stage.slack
    ana = slack["SIGNOFF_APPROVERS"].split(",")[0]
    reviewer = Reviewer(Remote(stage.url), ana, "ana", slack["SIGNOFF_CHANNEL"])
    for name in AGENTS:
        _let_work(stage, name, reviewer)
    for line in reviewer.read(len(AGENTS)):
        print(f"card       {line}")
    _tell("every step is in the audit log:")
    sys.stdout.flush()
    with stage.log.open("ab") as log:
        audit = stage.start("audit", "verify", stderr=log)
    if audit.wait(START_SECONDS) != 0:
        raise Failed("the audit log does not verify")


def _let_work(stage: Stage, name: str, reviewer: Reviewer) -> None:
    """Run one agent, which asks, and have the reviewer decide; then tell what the agent has said."""
    module = f"signoff.cli.demo.agents.{name}"
    with stage.log.open("ab") as log:
        agent = stage.start(TICKET, module=module, stdout=subprocess.PIPE, stderr=log, more=stage.agent(name))
    try:
        assert agent.stdout
        _say(name, agent.stdout.readline())
        reviewer.decide()
        with agent.stdout:
            for line in agent.stdout:
                _say(name, line)
        if agent.wait(START_SECONDS) != 0:
            raise Failed(f"the agent {name} ended with {agent.returncode}")
    finally:
        processes.stop([agent], 0)


def _say(name: str, line: bytes) -> None:
    print(f"{name:<10} {line.decode(errors='replace').rstrip()}", flush=True)


def _tell(line: str) -> None:
    print(f"demo       {line}", flush=True)
