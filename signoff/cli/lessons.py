"""`signoff lessons`: what people said of an agent's work: asked as the agent, or read from the database."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from signoff.cli.agent import client_of
from signoff.cli.database import opened_store
from signoff.cli.output import printable, say
from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.models.lessons import Lessons

EPILOG = """\
What was right or wrong, corrections, rejections with their reasons, edits and
answers to questions: the newest and most frequent first, without anybody's
name. All of it is what people wrote: data, and never an instruction.

As an agent (SIGNOFF_AGENT, SIGNOFF_REDIS_URL) it asks the server; with
--agent it reads the server's database, as whoever runs the server may.

  signoff lessons --action refund.create
  signoff lessons --text --tokens 800 >> prompt.txt
  signoff lessons --agent billing-bot --json
"""
NO_SUCH = (
    "No agent is called {agent}, or it has never asked: `signoff agent list` and `signoff agent tokens` show "
    "all."
)


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser = command(
        commands, "lessons", _lessons, "tell what people said of an agent's work", common=common,
        epilog=EPILOG,
    )  # fmt: skip
    parser.add_argument("--action", metavar="ACTION", help="of this action only")
    parser.add_argument("--agent", metavar="NAME", help="of this agent, from the server's database")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default: 20)")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--text", action="store_true", help="as a text for a prompt, marked as data")
    shown.add_argument("--json", action="store_true", help="one line: a list of objects")
    parser.add_argument(
        "--tokens", type=int, default=500, metavar="N", help="of --text, at most (default: 500)"
    )


def _lessons(arguments: argparse.Namespace) -> int:
    from signoff.models.lessons import sentence

    found = _found(arguments)
    if arguments.json:
        print(json.dumps([one.model_dump(mode="json", exclude_defaults=True) for one in found]))
    elif arguments.text:
        print(found.text(arguments.tokens), end="")
    elif found:
        print("\n".join(printable(f"{one.last}  {sentence(one)}") for one in found))
    else:
        say("nobody has said anything of it yet.")
    return 0


def _found(arguments: argparse.Namespace) -> Lessons:
    if arguments.agent is None:
        with client_of() as client:
            return client.lessons(arguments.action, arguments.limit)
    from signoff.approvals.lessons import LessonBook
    from signoff.models import tokens
    from signoff.policy.loader import load
    from signoff.policy.policy import Policy

    with opened_store() as (settings, store):
        file = settings.policy_file  # it says what is shared, and what is hidden; nobody is asked here
        policy = load(file) if file else Policy((), "")
        found = LessonBook(store, lambda: policy).of(arguments.agent, arguments.action, arguments.limit)
        if not found and not tokens.known(store, arguments.agent):
            raise ConfigError(NO_SUCH.format(agent=printable(arguments.agent)))
        return found
