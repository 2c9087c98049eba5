"""`signoff agent token …`: by what agents and executors say who they are at the API."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signoff.cli.output import say
from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.models.store import Store
    from signoff.models.tokens import Token
    from signoff.server.settings import Settings

TOKEN_EPILOG = """\
  signoff agent token shop-executor --scope 'spend:billing-bot:refund.*' > shop.env

Makes a token and prints it this once, as SIGNOFF_TOKEN=…; only its hash is kept. A scope is `ask` (ask, wait,
report: what `signoff agent add` gives), `hook` (hooks of coding agents), `stop` (stop and resume), or
`spend:AGENT:ACTION` for an executor's guard: it may spend receipts of that agent and action, in which *
stands for any characters.
"""
ASK = ("ask",)


def add(agent: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    made = command(agent, "token", _token, "make one more token", common=common, epilog=TOKEN_EPILOG)
    made.add_argument("name", metavar="NAME", help="whose it is: a-z, 0-9 and -, at most 40")
    made.add_argument(
        "--scope", action="append", metavar="SCOPE", help="what it is for; ask if not said. May be repeated"
    )
    listed = command(agent, "tokens", _list, "list all tokens, without what is secret", common=common)
    listed.add_argument("--json", action="store_true", help="one line: a list of all that is known of each")
    revoked = command(agent, "revoke", _revoke, "make one token worthless at once", common=common)
    revoked.add_argument("id", metavar="ID", help="as `signoff agent tokens` lists it, or sgt_ID_…")


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """The database, which has to be there; raises DatabaseAway or ConfigError."""
    from signoff.cli.database import check_upgraded, opened
    from signoff.models.store import Store

    with opened(settings) as engine:
        check_upgraded(engine)
        yield Store(engine)


def check_new(store: Store, agent: str) -> None:
    """Raise ConfigError for what is no name, or one that has tokens already."""
    from signoff.models.messages import AGENT

    if not AGENT.fullmatch(agent):
        raise ConfigError(f"The agent's name {agent!r} may hold a-z, 0-9 and -, at most 40 characters.")
    if standing(store, agent):
        raise ConfigError(f"{agent} has tokens already: `signoff agent token {agent}` makes one more.")


def point_out(store: Store, agent: str) -> None:
    """Say so where nobody is known by this name, which may be misspelled."""
    from signoff.models import tokens

    if not tokens.known(store, agent):
        say(f"no agent called {agent} has been added, or has asked yet: is that its name?")


def standing(store: Store, agent: str) -> bool:
    """Whether an agent has a token that was not revoked."""
    from signoff.models import tokens

    return any(one.agent == agent and one.revoked_at is None for one in tokens.all_of(store))


def held(store: Store) -> dict[str, tuple[bool, int]]:
    """Agent → whether it may use its tokens, and how many there are; of what was revoked, nothing."""
    from signoff.models import tokens

    found = dict[str, tuple[bool, int]]()
    for one in tokens.all_of(store):
        if one.revoked_at is None:
            on, count = found.get(one.agent, (False, 0))
            found[one.agent] = (on or one.off_at is None, count + 1)
    return found


def _token(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens
    from signoff.models.messages import AGENT

    if not AGENT.fullmatch(arguments.name):
        raise ConfigError(f"The name {arguments.name!r} may hold a-z, 0-9 and -, at most 40 characters.")
    scopes = tuple(arguments.scope or ASK)
    for scope in scopes:
        if not tokens.SCOPE.fullmatch(scope):
            raise ConfigError(f"--scope: {scope!r} is none: ask, hook, stop, or spend:AGENT:ACTION.")
    named = {scope.split(":")[1] if ":" in scope else arguments.name for scope in scopes}
    with opened_store(_settings()) as store:
        for agent in sorted(named):
            point_out(store, agent)
        print(f"SIGNOFF_TOKEN={tokens.add(store, arguments.name, scopes)}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens

    with opened_store(_settings()) as store:
        found = tokens.all_of(store)
    if arguments.json:
        print(json.dumps([{**one.__dict__, "state": _state(one)} for one in found]))
        return 0
    for one in found:
        used = f"used {_day(one.used_at)}" if one.used_at else "never used"
        print(
            f"{one.id}  {one.agent:<24} {_state(one):<8} made {_day(one.created_at)}, {used}  "
            f"{' '.join(one.scopes)}"
        )
    if not found:
        say("there is no token yet: `signoff agent add NAME` makes one.")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens

    token_id = arguments.id.removeprefix(tokens.PREFIX).partition("_")[0]
    with opened_store(_settings()) as store:
        found = tokens.revoke(store, token_id)
    if found is None:
        raise ConfigError("There is no such token, or it was revoked before: `signoff agent tokens`.")
    say(f"the token {found.id} of {found.agent} is worthless now.")
    return 0


def _state(token: Token) -> str:
    return "revoked" if token.revoked_at is not None else "off" if token.off_at is not None else "stands"


def _day(at: int) -> str:
    from signoff.models.messages import moment

    return f"{moment(at):%Y-%m-%d}"


def _settings() -> Settings:
    from signoff.server import settings

    return settings.load()
