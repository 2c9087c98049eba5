"""`signoff init`: from the Slack app's tokens to settings that work, each checked while it is asked for."""

from __future__ import annotations

import argparse
import os
import re

from signoff.cli.output import say
from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError
from signoff.queue import private
from signoff.queue.data_folder import server_file, server_settings, write_private

EPILOG = """\
Asks for the bot's token, the app's token, the channel, and who may decide; checks each against Slack; writes
them into server.env in the data folder (SIGNOFF_DATA), which only you can read; makes the signing key; and
ends with `signoff doctor`. Run it again to change something: an empty answer keeps what is there. No token is
ever printed.

Without a terminal it reads one answer a line, in that order, and takes what is missing from the environment
or from what is there; where Slack takes one of them not, nothing is written:

  printf '%s\\n' "$BOT" "$APP" agent-approvals U012ABCDEF | signoff init

For Slack over HTTP the app's signing secret stands in the place of its token, and then the address at which
Slack reaches `signoff web`.

exit: as `signoff doctor`; 2 an answer is wrong or missing, and nothing was written
"""
HEAD = "# Settings of Signoff's server; `signoff init` changes them. The environment wins over this file.\n"
_LINE = re.compile(r"\s*(?:export\s+)?(\w+)\s*=")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    command(
        commands, "init", _init, "ask for a server's settings, check them, and keep them",
        common=common, epilog=EPILOG,
    )  # fmt: skip


def _init(_: argparse.Namespace) -> int:
    from signoff.cli import interview
    from signoff.cli.doctor.report import report
    from signoff.cli.questions import Questions

    file = server_file()
    private.make_folder(file.parent)
    private.close_all(file.parent)
    if file.is_symlink():
        raise ConfigError(f"{file} is a link to {os.readlink(file)}: change the settings there.")
    before = dict(os.environ)
    kept = server_settings()
    for name, value in kept.items():  # as for every command of the server's: the environment wins
        os.environ.setdefault(name, value)
    found = interview.ask(Questions(), file)
    write_private(file, rewritten(file.read_text(encoding="utf-8") if file.exists() else HEAD, found))
    print(f"✓ written: {file}")
    for name in sorted(found):
        if before.get(name, found[name]) != found[name]:
            say(f"{name} is set otherwise in the environment or in --env-file, which win over that.")
    _make_what_is_missing()
    print()
    code = report()
    print("\nAll is well: `signoff serve` starts it." if code == 0 else "\nMend that, and run it again.")
    return code


def _make_what_is_missing() -> None:
    """A signing key, and a database in the data folder: `signoff serve` would make them, too."""
    from signoff.cli.database import opened
    from signoff.models import migrate
    from signoff.server import settings

    given = settings.load()
    given.signer(create=True)
    if given.database_file and not given.database_file.exists():
        with opened(given) as engine:
            migrate.upgrade(engine)


def rewritten(text: str, found: dict[str, str]) -> str:
    """A settings' file with these settings in it; all else in it stays as it is."""
    lines, left = list[str](), dict(found)
    for line in text.splitlines():
        name = named[1] if (named := _LINE.match(line)) else ""
        if name not in found:
            lines.append(line)
        elif name in left:
            lines.append(f"{name}={left.pop(name)}")
    return "\n".join([*lines, *(f"{name}={value}" for name, value in left.items())]) + "\n"
