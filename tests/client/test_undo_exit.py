"""A process that ends while it undoes: what it has spent it runs and reports, and it takes nothing new."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from client.test_undo import let_run, undone
from support import Core, eventually, intake_of

from signoff.client.exit import Exit

PROGRAM = """
import asyncio, sys, threading, time
from signoff import Signoff
from signoff.client.client import AsyncSignoff

report, begun, moment = AsyncSignoff.report, threading.Event(), sys.argv[3]

async def slow(self, *args, **more):
    if moment == "reports":
        begun.set()
        await asyncio.sleep(0.5)
    await report(self, *args, **more)

AsyncSignoff.report = slow
client = Signoff(redis_url=sys.argv[1], agent="billing-bot", verify_key=sys.argv[2])

@client.undo("refund.cancel")
def cancel(id, lines):
    if moment == "runs":
        begun.set()
        time.sleep(0.5)

assert begun.wait(60)
"""


@pytest.mark.parametrize("moment", ["runs", "reports"])
def test_a_program_that_ends_reports_what_it_has_undone(core: Core, redis_url: str, moment: str) -> None:
    """Its main part ends while the function runs, or right after: the report arrives all the same."""
    first = let_run(core)
    command = [sys.executable, "-c", PROGRAM, redis_url, core.signer.verify_key, moment]
    with intake_of(core, redis_url, "billing-bot"), subprocess.Popen(command) as program:
        core.approvals.undo.ask(first.id, "U0ANA")
        assert program.wait(60) == 0
        eventually(lambda: undone(core, first).succeeded is True)


def test_what_ends_waits_for_what_is_held_and_begins_nothing() -> None:
    process, began, let = Exit(), threading.Event(), threading.Event()
    said = list[bool]()

    def work() -> None:
        with process.held() as free:
            said.append(free)
            began.set()
            let.wait(60)

    worker = threading.Thread(target=work)
    worker.start()
    assert began.wait(60)
    end = threading.Thread(target=process.end)
    end.start()
    eventually(lambda: process._ends)
    with process.held() as free:
        assert not free and end.is_alive()
    let.set()
    end.join(60)
    worker.join(60)
    assert said == [True] and not end.is_alive()
