"""What helps to set Signoff up and to try it: manifest, doctor, sandbox, demo."""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

from signoff.commands.parsers import Commands, command

MANIFEST_EPILOG = """\
In Slack: api.slack.com/apps, Create New App, From a manifest, paste.
"""
DOCTOR_EPILOG = """\
Checks, in this order: settings, tokens, scopes, channel, approvers, redis, database, keys, clock, queues.
Each line says what was found and, where it is wrong, what to do. What cannot be checked because of an
earlier fault is skipped. Nothing is changed.

exit: 0 nothing failed   1 something did
"""
SANDBOX_EPILOG = """\
  signoff sandbox --port 9100 --env-file sandbox.env &
  signoff serve --env-file sandbox.env

Here --env-file is written, not read: the settings that point a server at the stand-in, once it listens.
The link that it prints opens a page like Slack's, where you are any of its people. Programs act as them by
JSON under /sandbox. It listens on this machine alone, and refuses what other web pages send it.
"""
DEMO_EPILOG = """\
Starts everything on this machine, in a temporary folder and without Slack: a Redis, the server, Slack's
stand-in, an agent that asks three times, and a reviewer who decides. Prints what happens, and leaves nothing.
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    command(
        commands, "manifest", _manifest, "print the manifest of the Slack app", common=common,
        epilog=MANIFEST_EPILOG,
    )  # fmt: skip
    doctor = command(
        commands, "doctor", _doctor, "check everything, and say what to do", common=common,
        epilog=DOCTOR_EPILOG,
    )  # fmt: skip
    doctor.add_argument("--json", action="store_true", help="one line of JSON: ok, and the checks")
    sandbox = command(
        commands, "sandbox", _sandbox, "run a stand-in for Slack on this machine", common=None,
        epilog=SANDBOX_EPILOG,
    )  # fmt: skip
    sandbox.add_argument("--port", type=int, default=0, help="where it listens (default: any free port)")
    sandbox.add_argument("--env-file", dest="written", metavar="FILE", help="the file to write")
    demo = command(
        commands, "demo", _demo, "see it all work on this machine, without Slack", common=None,
        epilog=DEMO_EPILOG,
    )  # fmt: skip
    demo.add_argument("--auto", action="store_true", required=True, help="the reviewer decides by himself")


def _manifest(_: argparse.Namespace) -> int:
    print((files("signoff") / "manifest.yml").read_text(encoding="utf-8"), end="")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from signoff.doctor import report

    return report(json_wanted=arguments.json)


def _sandbox(arguments: argparse.Namespace) -> int:
    from signoff.sandbox import server

    server.run(port=arguments.port, env_file=Path(arguments.written) if arguments.written else None)
    return 0


def _demo(_: argparse.Namespace) -> int:
    import signoff.app
    import signoff.sandbox.server  # noqa: F401  (its processes need both: a missing extra is told here)
    from signoff.demo import run

    return run()
