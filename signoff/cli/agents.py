"""`signoff agent …`: who may ask, each as a Redis user of its own. An agent itself calls `cli.agent`."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from signoff.cli import tokens
from signoff.cli.output import say
from signoff.cli.parsers import Commands, command, group
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.models.tokens import Token
    from signoff.queue.users import Users
    from signoff.server.settings import Settings

ADD_EPILOG = """\
  signoff agent add billing-bot --owner U012ABCDEF > billing-bot.env

Makes the user billing-bot in Redis, which may do what that agent needs and nothing else, and a token for the
API by HTTP; and prints what the agent has to set, a NAME=value a line. It is printed this once: only the
password's and the token's hashes are kept, and nothing here has the agent's secret. Give it to nobody but the
agent. With --http it gets the token alone, and Redis is left as it is.

--owner is the person behind it (a user id of Slack), who sees what it asks; where the policy's file names an
owner for it, that one holds.

Needs an admin of Redis, but with --http: SIGNOFF_REDIS_ADMIN_URL; for the Redis that `signoff serve` runs it
is known.
"""
ROTATE_EPILOG = """\
Its former password and tokens are worthless at once. Prints SIGNOFF_REDIS_URL with the new one, and for each
token another that may the same. The one that asks is set as SIGNOFF_TOKEN; others stand in comments that say
which they replace and what they are for: give each to who had the former one. The agent's secret stays as it
is, since the ids of what it asked with a key come from it.
"""
OFF_EPILOG = """\
Its connections end, and it can neither log in nor use its tokens until `signoff agent on`. The server does
the first with an agent that floods it.
"""
NO_SUCH = "No agent is called {name}, in Redis or by a token: `signoff agent list` and `tokens` show all."
_OWNER = re.compile(r"[UW][A-Z0-9]{2,20}")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    agent = group(commands, "agent", "say who may ask: agents and their Redis users")
    for name, run, help, epilog in (
        (
            "add",
            _add,
            "make an agent's Redis user and token, and print what the agent has to set",
            ADD_EPILOG,
        ),
        ("rotate", _rotate, "give an agent another password and other tokens", ROTATE_EPILOG),
        ("remove", _remove, "take an agent's Redis user and its tokens away", ""),
        ("off", _off, "keep an agent out", OFF_EPILOG),
        ("on", _on, "let an agent in again that was switched off; it gets today's rules", ""),
    ):
        parser = command(agent, name, run, help, common=common, epilog=epilog)
        parser.add_argument("name", metavar="NAME", help="a-z, 0-9 and -, at most 40")
        if name == "add":
            parser.add_argument("--owner", metavar="USER", help="the person behind it: a user id of Slack")
            parser.add_argument("--http", action="store_true", help="it asks by HTTP alone: no Redis user")
    listed = command(agent, "list", _list, "list the agents that have a Redis user or a token", common=common)
    listed.add_argument(
        "--json",
        action="store_true",
        help="one line: a list of name, on, connections (null without a Redis user) and tokens",
    )
    tokens.add(agent, common)


def _add(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens as rows
    from signoff.queue import acl

    owner = arguments.owner
    if owner and not _OWNER.fullmatch(owner):
        raise ConfigError(
            f"--owner: {owner!r} is no user id (U…). In Slack: a profile's menu, Copy member ID."
        )
    settings = _settings()
    verify_key = settings.signer().verify_key
    with ExitStack() as stack:
        # First what may fail: a password that was made has to be printed.
        keep = stack.enter_context(_owners(settings)) if owner else None
        store = stack.enter_context(tokens.opened_store(settings))
        found = {"SIGNOFF_AGENT": arguments.name}
        users = None
        if arguments.http:
            tokens.check_new(store, arguments.name)
        else:
            url, users = _url(settings), stack.enter_context(_users(settings))
            found["SIGNOFF_REDIS_URL"] = acl.with_user(url, arguments.name, users.add(arguments.name))
        _print(
            **found,
            SIGNOFF_VERIFY_KEY=verify_key,
            SIGNOFF_DEPLOYMENT=settings.deployment,
            SIGNOFF_AGENT_SECRET=acl.new_secret(),
            **_web_url(settings),
            SIGNOFF_TOKEN=rows.add(store, arguments.name, tokens.ASK),
        )
        if users:
            _save(users)
        if keep:
            keep(arguments.name, owner)
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens as rows
    from signoff.queue import acl

    settings, name = _settings(), arguments.name
    with tokens.opened_store(settings) as store, _user(settings, name, tokens.standing(store, name)) as users:
        if users:
            url = _url(settings)
            _print(SIGNOFF_REDIS_URL=acl.with_user(url, name, users.rotate(name)))
            _save(users)
        _print_tokens(rows.rotate(store, name))
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens as rows

    settings, name = _settings(), arguments.name
    with tokens.opened_store(settings) as store, _user(settings, name, tokens.standing(store, name)) as users:
        rows.revoke_all(store, name)
        if users:
            users.remove(name)
            _save(users)
    say(f"{name} can ask no more. What it asked stays where it is, and can still be decided.")
    return 0


def _off(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens as rows

    settings, name = _settings(), arguments.name
    with tokens.opened_store(settings) as store, _user(settings, name, tokens.standing(store, name)) as users:
        rows.switch(store, name, on=False)
        ended = (users.switch_off(name) or 0) if users else 0
        if users:
            _save(users)
    say(f"connections ended: {ended}. `signoff agent on {name}` lets it in again.")
    return 0


def _on(arguments: argparse.Namespace) -> int:
    from signoff.models import tokens as rows

    settings, name = _settings(), arguments.name
    with tokens.opened_store(settings) as store, _user(settings, name, tokens.standing(store, name)) as users:
        rows.switch(store, name, on=True)
        if users:
            users.switch_on(name)
            _save(users)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    settings = _settings()
    with tokens.opened_store(settings) as store:
        by_http = tokens.held(store)
    found = {
        name: {"name": name, "on": on, "connections": None, "tokens": count}
        for name, (on, count) in by_http.items()
    }
    try:
        with _users(settings) as users:
            for one in users.agents():
                found[one.name] = {**one.__dict__, "tokens": by_http.get(one.name, (False, 0))[1]}
    except ConfigError as error:
        if not found:
            raise
        say(f"who has a Redis user is not known: {error.detail}")
    if arguments.json:
        print(json.dumps([found[name] for name in sorted(found)]))
        return 0
    for name, about in sorted(found.items()):
        links = "no Redis user" if about["connections"] is None else f"connections: {about['connections']}"
        print(f"{name:<40} {'on' if about['on'] else 'off':<3} {links}, tokens: {about['tokens']}")
    if not found:
        say("there is no agent yet: `signoff agent add NAME` makes one.")
    return 0


def _print(**settings: str) -> None:
    for name, value in settings.items():
        print(f"{name}={shlex.quote(value)}")


def _print_tokens(made: Sequence[tuple[Token, str]]) -> None:
    """Each with what it is for, where there are several: the agent's own is set, others stand in comments."""
    first = next((one for one in made if one[0].may(tokens.ASK[0])), made[0] if made else None)
    for one in sorted(made, key=lambda one: one is not first):
        former, text = one
        if len(made) > 1:
            print(f"# in place of {former.id}: {' '.join(former.scopes)}")
        print(f"{'' if one is first else '# '}SIGNOFF_TOKEN={text}")


def _web_url(settings: Settings) -> dict[str, str]:
    """Where an agent reaches the role `web`; nothing, and it is said, where only that role knows."""
    from signoff.server.settings import split_bind

    if settings.web_url or split_bind(settings.web_bind)[1]:
        return {"SIGNOFF_WEB_URL": settings.public_url}
    say("SIGNOFF_WEB_BIND names no port: the agent's SIGNOFF_WEB_URL is where `web` says that it listens.")
    return {}


def _save(users: Users) -> None:
    if advice := users.save():
        say(advice)


def _url(settings: Settings) -> str:
    """The server's Redis: where the server reaches it, agents do. Raises ConfigError for one that is none."""
    from signoff.queue import acl
    from signoff.server import own_redis

    url = settings.redis_url or own_redis.kept_url(settings.data) or _admin(settings)
    try:
        number = acl.database(url)
    except ValueError:
        raise ConfigError("SIGNOFF_REDIS_URL is no URL, such as redis://host:6379/0.") from None
    if number != "0":
        raise ConfigError("SIGNOFF_REDIS_URL: agents' users are let into Redis's database 0 alone.")
    return url


def _admin(settings: Settings) -> str:
    from signoff.server.own_redis import admin_url

    given = settings.redis_admin_url
    found = admin_url(settings.data, settings.redis_url, given.get_secret_value() if given else None)
    if not found:
        raise ConfigError(
            "SIGNOFF_REDIS_ADMIN_URL is not set: an admin of the Redis of SIGNOFF_REDIS_URL makes users "
            "(docs/operating.md, Redis); the server's own user may not."
            if settings.redis_url
            else "There is no Redis yet: start `signoff serve`, or set SIGNOFF_REDIS_URL and "
            "SIGNOFF_REDIS_ADMIN_URL."
        )
    return found


@contextmanager
def _owners(settings: Settings) -> Iterator[Callable[[str, str], None]]:
    """What keeps the owner that an agent was added with; it says so where the policy's file names another."""
    from signoff.cli.database import check_upgraded, opened
    from signoff.models import policies
    from signoff.models.store import Store

    policy = settings.policy() if settings.policy_file else None

    def keep(agent: str, owner: str) -> None:
        named = policy.owner(agent) if policy else None
        policies.add_owner(store, agent, owner, named)
        if named and named != owner:
            say(f"the policy's file names {named} as the owner of {agent}, and that one holds.")

    with opened(settings) as engine:
        check_upgraded(engine)
        store = Store(engine)
        yield keep


@contextmanager
def _user(settings: Settings, name: str, has_tokens: bool) -> Iterator[Users | None]:
    """Redis's users, where this agent is one of them; None for one that has tokens alone.

    Raises ConfigError where nobody is called so.
    """
    try:
        users = _users(settings)
    except ConfigError:
        if not has_tokens:
            raise
        yield None
        return
    with users:
        if any(one.name == name for one in users.agents()):
            yield users
        elif has_tokens:
            yield None
        else:
            raise ConfigError(NO_SUCH.format(name=name))


def _users(settings: Settings) -> Users:
    from signoff.queue.users import Users

    return Users(_admin(settings))


def _settings() -> Settings:
    from signoff.server import settings

    return settings.load()
