"""`signoff stop`, `resume` and `stops`: the switch that keeps agents from running anything."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signoff.cli.output import printable, say
from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError
from signoff.models.stops import OPERATOR, Stop, StopScope

if TYPE_CHECKING:
    from signoff.approvals.stopping import Stopping

STOP_EPILOG = """\
  signoff stop billing-bot --reason "refunds the same order again and again"
  signoff stop --action 'refund.*' --undos
  signoff stop --all

New requests are answered as blocked, what waits is held (with --withdraw it ends), and what was approved
before and has not run is void, for ever. It says what is known of that: only what guards have confirmed is
sure. Asked again for what is stopped already, it stays as it is, and what is known by now is printed.

--json prints one line: {"id", "void", "unconfirmed", "until", "spent"}.
"""
RESUME_EPILOG = """\
  signoff resume billing-bot --staged

Names what is stopped, as `signoff stops` lists it: the agent, the pattern of actions, `all`, or a stop's id.
With --staged all of it is asked about from now on; resumed once more, without, it is as before.

People in Slack, and tokens, can only resume what somebody else has stopped, unless the policy says
`stop: {resume: any}`. Whoever is in this shell can do so alone; the audit log says so.
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    stop = command(
        commands, "stop", _stop, "stop an agent, an action or everything", common=common, epilog=STOP_EPILOG
    )
    stop.add_argument("agent", metavar="AGENT", nargs="?", help="the agent that is to be stopped")
    stop.add_argument("--action", metavar="GLOB", help="stop an action of all agents instead: refund.*")
    stop.add_argument("--all", action="store_true", help="stop everything instead")
    stop.add_argument("--reason", metavar="TEXT", default="", help="why, for people; no agent is told")
    stop.add_argument("--undos", action="store_true", help="undos may run all the same")
    stop.add_argument("--withdraw", action="store_true", help="end what waits, instead of holding it")
    stop.add_argument("--json", action="store_true", help="one line: what is known of it")
    resume = command(
        commands, "resume", _resume, "let run again what was stopped", common=common, epilog=RESUME_EPILOG
    )
    resume.add_argument("what", metavar="WHAT", help="an agent, a pattern of actions, all, or a stop's id")
    resume.add_argument("--staged", action="store_true", help="ask about all of it until it is resumed again")
    stops = command(commands, "stops", _stops, "list what is stopped", common=common)
    stops.add_argument("--json", action="store_true", help="one line: a list of all that is known of each")


def _stop(arguments: argparse.Namespace) -> int:
    from signoff.models.messages import moment

    scope = _scope(arguments)
    with _opened() as stopping:
        stop = stopping.stop(
            scope, by=OPERATOR, reason=arguments.reason, undos=arguments.undos, withdraw=arguments.withdraw
        )
        known = stopping.known(stop)
    if arguments.json:
        print(json.dumps({"id": stop.id, **known.__dict__}))
        return 0
    clock = f"{moment(known.until):%H:%M} UTC" if known.until else ""
    print(printable(f"{stop.scope} is {stop.said}: {known.said(clock)}"))
    say(f"`signoff resume {'all' if stop.kind == 'all' else stop.name}` lets it run again.")
    return 0


def _resume(arguments: argparse.Namespace) -> int:
    with _opened() as stopping:
        found = [one for one in stopping.stops() if arguments.what in (one.id, _name(one))]
        if not found:
            raise ConfigError("That is not stopped: `signoff stops` lists what is.")
        for one in found:
            if not (arguments.staged and one.staged):
                stopping.resume(one.id, by=OPERATOR, staged=arguments.staged)
    how = "all of it is asked about from now on" if arguments.staged else "it runs again"
    say(f"{arguments.what}: {how}.")
    return 0


def _stops(arguments: argparse.Namespace) -> int:
    from signoff.models.messages import moment

    with _opened() as stopping:
        found = stopping.stops()
    if arguments.json:
        print(json.dumps([one.__dict__ for one in found]))
        return 0
    for one in found:
        state = "resumed in part, all is asked about" if one.staged else one.said
        more = ", undos may run" if one.undos else ""
        why = f": {one.reason}" if one.reason else ""
        line = f"{one.kind:<7} {_name(one):<24} since {moment(one.at):%Y-%m-%d %H:%M} UTC  {state}{more}{why}"
        print(printable(line))
    if not found:
        say("nothing is stopped.")
    return 0


def _name(stop: Stop) -> str:
    return "all" if stop.kind == "all" else stop.name


def _scope(arguments: argparse.Namespace) -> StopScope:
    """What is to be stopped; raises ConfigError unless just one thing is named."""
    named = [bool(arguments.agent), arguments.action is not None, arguments.all]
    if sum(named) != 1:
        raise ConfigError("Say one thing: `signoff stop AGENT`, `--action GLOB`, or `--all`.")
    if arguments.all:
        return StopScope("all")
    return StopScope("agent", arguments.agent) if arguments.agent else StopScope("action", arguments.action)


@contextmanager
def _opened() -> Iterator[Stopping]:
    """What stops and resumes, in the operator's own database; raises DatabaseAway or ConfigError."""
    from signoff.cli.database import check_upgraded, opened
    from signoff.models.store import Store
    from signoff.server import settings as server_settings
    from signoff.server.alone import stopping

    settings = server_settings.load()
    with opened(settings) as engine:
        check_upgraded(engine)
        with stopping(settings, Store(engine)) as found:
            yield found
