"""`signoff …`: reads the command line, and turns every error into one line.

The agent's commands need nothing but a plain install. Those of the server load what they need when they
run, and name the extra to install where it is missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial

from signoff import __version__
from signoff.cli import (
    agent,
    agents,
    audit,
    away,
    backup,
    batch,
    database,
    execution,
    factor,
    given,
    guide,
    health,
    hook,
    init,
    keys,
    lessons,
    mcp,
    output,
    policy,
    question,
    requests,
    roles,
    serve,
    setup,
    stop,
    surroundings,
    undo,
    verify,
    webhooks,
)
from signoff.cli.parsers import Help, print_help
from signoff.errors import ConfigError, Invalid, SignoffError
from signoff.policy.errors import PolicyError

SERVER = (
    "slack_bolt slack_sdk rq sqlmodel sqlalchemy alembic pydantic_settings structlog rich aiohttp cel yaml "
    "shtab starlette uvicorn httptools limits prometheus_client jinja2 markupsafe "
    "pyotp segno"
)
EXTRAS = {
    "psycopg": "postgres",
    **dict.fromkeys(["mcp", "mcp_types", "httpx2", "anyio"], "mcp"),
    **dict.fromkeys(SERVER.split(), "server"),
}
"""Packages that a plain install does not have → the extra that has them."""
POSIX = {"serve", "bot", "intake", "worker", "web", "demo"}
"""Commands that do not run on Windows, where agents do."""
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

DESCRIPTION = "Approvals for AI agents: a person decides in Slack on what will really run."
EPILOG = """\
an agent asks:        request, question, batch, wait, status, cancel,
                      report, lessons, verify, mcp
somebody runs it:     serve (or bot, intake, worker and web by themselves),
                      pending, show, audit, doctor, health, backup, restore
who may ask:          agent
who may run nothing:  stop, resume, stops
who hears of it:      webhooks
who proves it:        factor
what can be undone:   undo
who is away:          away
what needs a person:  policy
a coding agent asks:  hook
to set it up:         init, manifest, keys, db, env, sandbox, demo
to find your way:     help, completion

Settings come from the environment, then from --env-file FILE, and a server's then from the file that
`signoff init` writes (server.env in the data folder). Nothing is read from the current folder.

exit: 0 approved, or done   2 usage, settings, or an invalid request
      3 rejected   4 expired   5 cancelled   6 still pending
      7 Redis unreachable   8 does not verify
      9 blocked, limited or duplicate   10 approved, run and failed (--run)
      11 a question that was answered
      1 anything else   130 Ctrl-C
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; a wrong command line ends the process with 2."""
    surroundings.leave_current_folder()
    parser = _parser()
    given_words = sys.argv[1:] if argv is None else argv
    words, program = mcp.parted(given_words) or execution.parted(given_words)
    if slip := guide.slip(parser, words):
        return _failed(slip, 2)
    arguments = parser.parse_args(words)
    if program is not None:
        arguments.program = program

    def run() -> int:
        if sys.platform == "win32" and getattr(arguments, "command", "") in POSIX:
            raise ConfigError("a server runs on Linux or macOS; on Windows agents do.")
        given.read(arguments)
        code: int = arguments.run(arguments)
        return code

    with surroundings.private_files():
        return told(run)


def told(run: Callable[[], int]) -> int:
    """What `run` gives; its errors become one line on stderr, and an exit code."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        return _failed(f"this needs more than an agent's install: pip install 'signoff[{extra}]'", 2)
    except PolicyError as error:
        print("\n".join(error.faults), file=sys.stderr)
        return _failed("the policy is not taken: mend what stands above.", 2)
    except (ConfigError, Invalid) as error:
        return _failed(error.detail or str(error), 2)
    except SignoffError as error:
        return _failed(str(error), output.exit_code(error))
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _failed(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1)
    except KeyboardInterrupt:
        return _failed("stopped.", INTERRUPTED)


def _failed(sentence: str, code: int) -> int:
    print(f"signoff: {sentence}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="signoff",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"signoff {__version__}")
    parser.set_defaults(run=partial(print_help, parser, 0))
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--env-file",
        metavar="FILE",
        help="settings, a NAME=value a line; the environment wins over it",
    )
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    server = (
        init, serve, roles, agents, stop, policy, requests, database, audit, backup, keys, webhooks,
        undo, factor, away, setup, health
    )  # fmt: skip
    for module in (agent, question, batch, lessons, verify, mcp, hook, *server):
        module.add(commands, common)
    guide.add(commands, parser)
    return parser
