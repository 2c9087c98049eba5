"""`signoff away`: who is away, and who decides in whose place."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from signoff.cli.database import opened_store
from signoff.cli.output import printable, say
from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError, Invalid

if TYPE_CHECKING:
    from signoff.models.absences import Absence
    from signoff.server.build import Server

EPILOG = """\
  signoff away                                    who is away now
  signoff away U0ANA --until "Friday 9:00" --deputy U0BEN
  signoff away U0ANA --back

As `/approvals away` in Slack: the deputy has to be one whom the policy names
under `deputies:` of a group of theirs, for 30 days at most; admins are told,
and the log has it as said by an operator. A time is of UTC.

--json prints one line: a list of {"person", "deputy", "since", "until"}.
"""
OPERATOR = "operator"
"""Who says so, in the log."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser = command(
        commands, "away", _away, "say who is away, and who decides in their place", common=common,
        epilog=EPILOG,
    )  # fmt: skip
    parser.add_argument("person", metavar="USER", nargs="?", help="a Slack user's id, U012ABCDEF")
    parser.add_argument("--until", metavar="WHEN", help='"Friday 9:00", "3 days", 2026-12-24')
    parser.add_argument("--deputy", metavar="USER", help="who decides in their place")
    parser.add_argument("--back", action="store_true", help="they decide for themselves again")
    parser.add_argument("--json", action="store_true", help="one line: a list of who is away")


def _away(arguments: argparse.Namespace) -> int:
    from signoff.models import absences

    leaves = arguments.until is not None or arguments.deputy is not None
    if arguments.person is None and (leaves or arguments.back):
        raise ConfigError("Say who: signoff away U012ABCDEF ….")
    if leaves and (arguments.back or arguments.until is None or arguments.deputy is None):
        raise ConfigError("Say both --until and --deputy, or --back alone.")
    if leaves or arguments.back:
        return _change(arguments)
    with opened_store() as (_, store):
        found = [one for one in absences.read(store).values() if arguments.person in (None, one.person)]
    if arguments.json:
        print(json.dumps([_said(one) for one in found]))
        return 0
    for one in found:
        print(printable(_line(one)))
    if not found:
        say("nobody is away.")
    return 0


def _change(arguments: argparse.Namespace) -> int:
    from signoff.approvals.errors import NotAllowed, NotAway
    from signoff.models.until import until_when

    with opened_store() as (_, store):
        now = store.clock()
    until = until_when(arguments.until, "UTC", now) if arguments.until else 0
    if until is None:
        raise Invalid('--until names no moment to come: write "Friday 9:00", "3 days" or 2026-12-24.')
    server = _server()
    try:
        away = server.approvals.times.away
        if arguments.back:
            found = away.back(arguments.person, by=OPERATOR)
            print(f"{arguments.person} is back." if found else f"{arguments.person} was not away.")
            return 0 if found else 1
        one, groups = away.leave(arguments.person, until, arguments.deputy, by=OPERATOR)
        print(printable(f"{_line(one)}, where all of {', '.join(groups)} is asked"))
        return 0
    except NotAway as error:
        may = f" The policy lets you name {', '.join(error.may)}." if error.may else ""
        raise ConfigError(f"{error.detail}{may}") from None
    except NotAllowed as error:
        raise ConfigError(f"{error.detail} That is no member's id: {arguments.person}.") from None
    finally:
        server.close()


def _server() -> Server:
    from signoff.server import build, own_redis, settings

    given = settings.load()
    url = given.redis_url or own_redis.kept_url(given.data)
    if not url:
        raise ConfigError(
            "SIGNOFF_REDIS_URL is not set, and no `signoff serve` runs here with its own Redis."
        )
    return build.build(given, url)


def _said(one: Absence) -> dict[str, str]:
    from signoff.models.messages import moment

    times = {"since": moment(one.since).isoformat(), "until": moment(one.until).isoformat()}
    return {"person": one.person, "deputy": one.deputy, **times}


def _line(one: Absence) -> str:
    from signoff.models.messages import moment

    until = f"{moment(one.until):%Y-%m-%d %H:%M} UTC"
    return f"{one.person} is away until {until}, and {one.deputy} decides in their place"
