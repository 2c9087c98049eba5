"""`signoff undo …`: what agents say they can undo, and whether that was ever tried."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

from signoff.cli.database import opened_store
from signoff.cli.output import printable, say
from signoff.cli.parsers import Commands, command, duration, group
from signoff.errors import ConfigError
from signoff.models.undone import TRIED_SECONDS

if TYPE_CHECKING:
    from signoff.models.undos import Undoer

TEST_EPILOG = """\
  signoff undo test refund.cancel

Asks a process of the agent, which has to run, to call its own test of the undo: the function that it gave as
`test=`. Nothing of yours is undone by that, unless that function does it. Until it has passed, and once that
is 30 days ago, cards say "Undo was never tried".

--json prints one line: {"agent", "action", "passed", "fault"}; passed is null where nobody answered in time.

exit: 0 it passed   1 it did not, or nobody answered in time
      2 nobody can undo by that action, or several can
"""
SECONDS = 30
"""How long a test may take before nobody waits for it here; its result is kept all the same."""
LOOK_SECONDS = 0.2
STALE = 60_000_000
"""Microseconds: an agent says every 15 s that it is there."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    undo = group(commands, "undo", "say what agents can undo, and try it")
    listed = command(undo, "list", _list, "list what agents say they can undo", common=common)
    listed.add_argument("--json", action="store_true", help="one line: a list of all that is known of each")
    tested = command(
        undo, "test", _test, "have an agent run its own test of an undo", common=common, epilog=TEST_EPILOG
    )
    tested.add_argument(
        "action", metavar="ACTION", help="the action that undoes, as `signoff undo list` has it"
    )
    tested.add_argument("--agent", metavar="NAME", help="whose; needed where several undo by that action")
    tested.add_argument(
        "--timeout",
        metavar="TIME",
        type=duration,
        default=SECONDS,
        help=f"how long to wait: 90, 90s, 10m, 2h (default: {SECONDS}s)",
    )
    tested.add_argument("--json", action="store_true", help="one line: what it came to")


def _list(arguments: argparse.Namespace) -> int:
    from signoff.models import undos

    with opened_store() as (_, store), store.reading() as connection:
        found, now = undos.listed(connection), store.clock()
    if arguments.json:
        print(json.dumps([one.__dict__ for one in found]))
        return 0
    for one in found:
        there = (
            "there"
            if now - one.seen_at < STALE
            else f"not seen for {(now - one.seen_at) // 60_000_000:,} min"
        )
        print(printable(f"{one.agent:<24} {one.action:<24} {there}; {tried(one)}"))
    if not found:
        say("no agent has said that it can undo anything: `@refund.undo`, see docs/agents.md.")
    return 0


def tried(one: Undoer) -> str:
    """What its own test came to."""
    if one.tested_at is None:
        return "never tried"
    if one.passed and time.time() - one.tested_at / 1_000_000 > TRIED_SECONDS:
        return f"tried more than {TRIED_SECONDS // 86_400} days ago: try it again"
    return "tried, and it works" if one.passed else f"tried, and it failed: {one.fault}"


def _test(arguments: argparse.Namespace) -> int:
    from signoff.approvals.receipts import Receipts
    from signoff.approvals.undoers import ask_test
    from signoff.models import undos
    from signoff.queue.publisher import Publisher
    from signoff.server import own_redis, redis_link
    from signoff.server.build import PUBLISH_SECONDS

    with opened_store() as (given, store):
        url = given.redis_url or own_redis.kept_url(given.data)
        if not url:
            raise ConfigError(
                "SIGNOFF_REDIS_URL is not set, and no `signoff serve` runs here with its own Redis."
            )
        receipts = Receipts(given.signer(), given.receipt_hours, given.deployment)
        publisher = Publisher(redis_link.quick(url, PUBLISH_SECONDS), receipts.lifetime)

        def listed() -> list[Undoer]:
            with store.reading() as connection:
                return undos.listed(connection)

        one = _chosen(listed(), arguments.action, arguments.agent)
        before, until = one.tested_at, time.monotonic() + arguments.timeout
        ask_test(store, receipts, publisher, one.agent, one.action, arguments.timeout)
        while time.monotonic() < until:
            now = _chosen(listed(), one.action, one.agent)
            if now.tested_at != before:
                said = {"agent": now.agent, "action": now.action, "passed": now.passed, "fault": now.fault}
                told = json.dumps(said) if arguments.json else f"{now.action} of {now.agent}: {tried(now)}"
                print(printable(told))
                return 0 if now.passed else 1
            time.sleep(LOOK_SECONDS)
        if arguments.json:
            print(json.dumps({"agent": one.agent, "action": one.action, "passed": None, "fault": None}))
        say(f"{one.agent} has not said within {arguments.timeout:g} s what its test came to: does it run?")
        return 1


def _chosen(found: list[Undoer], action: str, agent: str | None) -> Undoer:
    fitting = [one for one in found if one.action == action and agent in (None, one.agent)]
    if not fitting:
        raise ConfigError(
            f"nobody has said that it can undo by {action!r}: `signoff undo list` shows who can."
        )
    if len(fitting) > 1:
        raise ConfigError(f"several can: say whose, by --agent: {', '.join(one.agent for one in fitting)}.")
    return fitting[0]
