"""`signoff factor …`: who may prove that it was them, by an authenticator app; for the operator."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signoff.cli.output import say
from signoff.cli.parsers import Commands, command, group
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.approvals.enrolment import Enrolments
    from signoff.models.factors import Factor

INVITE_EPILOG = """\
  signoff factor invite U012ABCDEF

Prints a one-time code, good for a day. The person enters it in Slack with `/approvals factor`, and gets the
secret for their authenticator app. Give them the code by phone or in person: whoever has stolen a Slack
account must not enrol with it. A second one, once the first counts, takes a code of the first.
"""
ENROLL_EPILOG = """\
  signoff factor enroll U012ABCDEF

Prints the secret as a QR code, once, for the authenticator app of somebody who sits beside you. Like every
factor it rests for 24 hours before it counts; the person and the admins are told in Slack.
"""
REMOVE_EPILOG = """\
From now on no code of it counts, nor what it had begun. NAME is what `signoff factor list` calls it; a user
id removes all of that person's.
"""
AFFIRM_EPILOG = """\
A database that was put back from a backup cannot know which factors were removed since, nor which codes were
used: none counts until you say so. Look through `signoff factor list` first. A user id affirms all of that
person's, --all everybody's.
"""
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
OPERATOR = "operator"


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    factor = group(commands, "factor", "say who may prove themselves by codes of an authenticator app")
    for name, run, help, epilog in (
        ("invite", _invite, "make a one-time code by which somebody may enrol", INVITE_EPILOG),
        ("enroll", _enroll, "enrol somebody who is here: prints a QR code, once", ENROLL_EPILOG),
    ):
        parser = command(factor, name, run, help, common=common, epilog=epilog)
        parser.add_argument("user", metavar="USER", help="a user id of Slack (U…)")
    listed = command(factor, "list", _list, "list who has which factor, and since when", common=common)
    listed.add_argument("--json", action="store_true", help="one line: a list of all that is known of each")
    removed = command(factor, "remove", _remove, "take a factor away", common=common, epilog=REMOVE_EPILOG)
    removed.add_argument("which", metavar="NAME", help="as `signoff factor list` has it, or a user id")
    affirmed = command(
        factor, "affirm", _affirm, "have factors count again after a restore", common=common,
        epilog=AFFIRM_EPILOG,
    )  # fmt: skip
    affirmed.add_argument("which", metavar="NAME", nargs="?", help="as `list` has it, or a user id")
    affirmed.add_argument("--all", action="store_true", help="everybody's")


def _invite(arguments: argparse.Namespace) -> int:
    user = _user(arguments.user)
    with _enrolments() as enrolments:
        code = enrolments.invite(user, OPERATOR)
    say(f"{user} enters this within a day, in Slack with `/approvals factor`. It is shown this once:")
    print(code)
    return 0


def _enroll(arguments: argparse.Namespace) -> int:
    import segno

    user = _user(arguments.user)
    with _enrolments() as enrolments:
        begun = enrolments.enrol(user, OPERATOR)
    segno.make(begun.link, error="m").terminal(compact=True)
    print(begun.secret)
    say("scan this with the authenticator app, or type the secret into it. It is shown this once.")
    say(f"it counts in 24 hours. `signoff factor remove {begun.id[-8:]}` takes it away.")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    with _enrolments() as enrolments:
        found, at = enrolments.every(), enrolments.clock()
    if arguments.json:
        print(json.dumps([_said(one, at) for one in found]))
        return 0
    for one in found:
        print(f"{one.name}  {one.user_id}  {one.kind}  {_state(one, at)}  by {one.by}")
    if not found:
        say("nobody has a second factor: `signoff factor invite U…`")
    elif any(not one.in_force for one in found):
        say("some are from before a restore, and count for nothing: `signoff factor affirm`")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    with _enrolments() as enrolments:
        for one in _named(enrolments, arguments.which):
            enrolments.remove(one.id, OPERATOR)
            say(f"{one.name} of {one.user_id} counts for nothing from now on.")
    return 0


def _affirm(arguments: argparse.Namespace) -> int:
    if bool(arguments.which) == arguments.all:
        raise ConfigError("Name a factor, a user id, or --all.")
    with _enrolments() as enrolments:
        for one in enrolments.every() if arguments.all else _named(enrolments, arguments.which):
            if enrolments.affirm(one.id, OPERATOR):
                say(f"{one.name} of {one.user_id} counts again.")
    return 0


@contextmanager
def _enrolments() -> Iterator[Enrolments]:
    from signoff.approvals.enrolment import Enrolments
    from signoff.approvals.vault import FILE, Vault
    from signoff.cli.database import opened_store

    with opened_store() as (settings, store):
        vault = Vault(settings.data / FILE)
        yield Enrolments(store, vault)


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise ConfigError(f"{text!r} is no user id (U…). In Slack: a profile's menu, Copy member ID.")
    return text


def _named(enrolments: Enrolments, which: str) -> list[Factor]:
    found = [one for one in enrolments.every() if which in (one.name, one.id, one.user_id)]
    if not found:
        raise ConfigError(f"Nobody has a factor {which!r}: `signoff factor list` shows all.")
    return found


def _state(one: Factor, at: int) -> str:
    if one.counts(at):
        return "counts"
    return "rests" if one.in_force else "from before a restore"


def _said(one: Factor, at: int) -> dict[str, object]:
    return {
        "name": one.name, "user": one.user_id, "kind": one.kind, "state": _state(one, at), "by": one.by,
        "created_at": one.created_at, "counts_from": one.counts_from,
    }  # fmt: skip
