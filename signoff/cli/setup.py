"""What helps to set Signoff up and to try it: manifest, doctor, sandbox, demo."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from signoff.bot.slack.manifest import manifest
from signoff.cli.parsers import Commands, command

MANIFEST_EPILOG = """\
In Slack: api.slack.com/apps, Create New App, From a manifest, paste.

With --http, Slack calls URL/slack/events instead of being listened to over Socket Mode: URL is where `signoff
web` is reached from outside (SIGNOFF_WEB_URL, https). The server then has SLACK_SIGNING_SECRET instead of
SLACK_APP_TOKEN.
"""
DOCTOR_EPILOG = """\
Checks, in this order: settings, names, folder, tokens, calls, scopes, channel, approvers, redis, users,
database, deciders, keys, clock, roles, queues. Each line says what was found and, where it is wrong (✗) or
worth a look (!), what to do. What cannot be checked because of an earlier fault is skipped. For `users` it
logs into Redis as each agent, by a password that holds for that moment, and tries what must be refused, in
ways that do no harm where it is not. Nothing is changed.

With --layouts it has Slack look at all that Signoff draws instead: every card, form, list and Home of made-up
requests goes through Slack's blocks.validate, which posts nothing. That takes a minute or more.

exit: 0 nothing failed   1 something did
"""
SANDBOX_EPILOG = """\
  signoff sandbox --port 9100 --env-file sandbox.env &
  signoff serve --env-file sandbox.env

Here --env-file is written, not read: the settings that point a server at the stand-in, once it listens.
The link that it prints opens a page like Slack's, where you are any of its people. Programs act as them by
JSON under /sandbox. It listens on this machine alone, and refuses what other web pages send it.
With --state the next one with that file goes on where this one was left.
"""
DEMO_EPILOG = """\
Starts everything on this machine: a Redis, the server, a stand-in for Slack with a page, and five agents that
ask. Prints one link; in the page you are the reviewer. Needs no Slack and no network.

All is kept in the folder `demo` of the data folder, so that the next start finds what was asked and decided.
Ctrl-C ends all of it. With --auto a script decides, in a folder that is gone afterwards.
"""
DEMO_NEEDS = ("slack_bolt", "rq", "sqlmodel", "alembic", "pydantic_settings", "structlog", "aiohttp")
"""What its processes import and a plain install does not have."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    printed = command(
        commands, "manifest", _manifest, "print the manifest of the Slack app", common=common,
        epilog=MANIFEST_EPILOG,
    )  # fmt: skip
    printed.add_argument("--http", metavar="URL", default="", help="for Slack over HTTP, which calls there")
    doctor = command(
        commands, "doctor", _doctor, "check everything, and say what to do", common=common,
        epilog=DOCTOR_EPILOG,
    )  # fmt: skip
    doctor.add_argument("--json", action="store_true", help="one line of JSON: ok, and what was found")
    doctor.add_argument(
        "--layouts", action="store_true", help="only: does Slack take all that Signoff draws?"
    )
    sandbox = command(
        commands, "sandbox", _sandbox, "run a stand-in for Slack on this machine", common=None,
        epilog=SANDBOX_EPILOG,
    )  # fmt: skip
    sandbox.add_argument("--port", type=int, default=0, help="where it listens (default: any free port)")
    sandbox.add_argument("--env-file", dest="written", metavar="FILE", help="the file to write")
    sandbox.add_argument(
        "--http", metavar="URL", help="call the app there, as Slack over HTTP does, in place of Socket Mode"
    )
    sandbox.add_argument("--state", metavar="FILE", help="keep its team and messages in this file")
    demo = command(
        commands, "demo", _demo, "try all of it on this machine, without Slack", common=None,
        epilog=DEMO_EPILOG,
    )  # fmt: skip
    way = demo.add_mutually_exclusive_group()
    way.add_argument("--no-browser", action="store_true", help="only print the link")
    way.add_argument(
        "--auto", action="store_true", help="a script decides; ends by itself and leaves nothing"
    )
    way.add_argument("--reset", action="store_true", help="clear what earlier demos have left, and end")


def _manifest(arguments: argparse.Namespace) -> int:
    print(manifest(arguments.http), end="")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from signoff.cli.doctor import layouts
    from signoff.cli.doctor.report import report

    return (
        layouts.report(json_wanted=arguments.json)
        if arguments.layouts
        else report(json_wanted=arguments.json)
    )


def _sandbox(arguments: argparse.Namespace) -> int:
    from signoff.sandbox import server

    server.run(
        port=arguments.port,
        http=arguments.http,
        env_file=Path(arguments.written) if arguments.written else None,
        state_file=Path(arguments.state) if arguments.state else None,
    )
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    for name in DEMO_NEEDS:
        if find_spec(name) is None:  # told here, and not in a log of its processes
            raise ModuleNotFoundError(name=name)
    from signoff.cli.demo import auto, live

    if arguments.auto:
        return auto.run()
    return live.reset() if arguments.reset else live.run(open_browser=not arguments.no_browser)
