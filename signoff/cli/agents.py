"""`signoff agent …`: who may ask, each as a Redis user of its own. An agent itself calls `cli.agent`."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from signoff.cli.output import say
from signoff.cli.parsers import Commands, command, group
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.queue.users import Users
    from signoff.server.settings import Settings

ADD_EPILOG = """\
  signoff agent add billing-bot --owner U012ABCDEF > billing-bot.env

Makes the user billing-bot in Redis, which may do what that agent needs and nothing else, and prints what
the agent has to set, a NAME=value a line. It is printed this once: Redis has only the password's hash, and
nothing here has the agent's secret. Give it to nobody but the agent.

--owner is the person behind it (a user id of Slack), who sees what it asks; where the policy's file names an
owner for it, that one holds.

Needs an admin of Redis: SIGNOFF_REDIS_ADMIN_URL; for the Redis that `signoff serve` runs it is known.
"""
ROTATE_EPILOG = """\
Its former password is worthless at once. Prints SIGNOFF_REDIS_URL with the new one; its secret stays as it
is, since the ids of what it asked with a key come from it.
"""
OFF_EPILOG = """\
Its connections end, and it cannot log in until `signoff agent on`. The server does the same with an agent
that floods it.
"""
NO_SUCH = "Redis has no user of an agent {name}: `signoff agent list` shows all."
_OWNER = re.compile(r"[UW][A-Z0-9]{2,20}")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    agent = group(commands, "agent", "say who may ask: agents and their Redis users")
    for name, run, help, epilog in (
        ("add", _add, "make an agent's Redis user, and print what the agent has to set", ADD_EPILOG),
        ("rotate", _rotate, "give an agent another password", ROTATE_EPILOG),
        ("remove", _remove, "take an agent's Redis user away", ""),
        ("off", _off, "keep an agent out", OFF_EPILOG),
        ("on", _on, "let an agent in again that was switched off; it gets today's rules", ""),
    ):
        parser = command(agent, name, run, help, common=common, epilog=epilog)
        parser.add_argument("name", metavar="NAME", help="a-z, 0-9 and -, at most 40")
        if name == "add":
            parser.add_argument("--owner", metavar="USER", help="the person behind it: a user id of Slack")
    listed = command(agent, "list", _list, "list the agents that have a Redis user", common=common)
    listed.add_argument("--json", action="store_true", help="one line: a list of name, on and connections")


def _add(arguments: argparse.Namespace) -> int:
    from signoff.queue import acl

    owner = arguments.owner
    if owner and not _OWNER.fullmatch(owner):
        raise ConfigError(
            f"--owner: {owner!r} is no user id (U…). In Slack: a profile's menu, Copy member ID."
        )
    settings = _settings()
    verify_key, url = settings.signer().verify_key, _url(settings)
    with ExitStack() as stack:
        # First what may fail: a password that was made has to be printed.
        keep = stack.enter_context(_owners(settings)) if owner else None
        users = stack.enter_context(_users(settings))
        password = users.add(arguments.name)
        _print(
            SIGNOFF_AGENT=arguments.name,
            SIGNOFF_REDIS_URL=acl.with_user(url, arguments.name, password),
            SIGNOFF_VERIFY_KEY=verify_key,
            SIGNOFF_DEPLOYMENT=settings.deployment,
            SIGNOFF_AGENT_SECRET=acl.new_secret(),
        )
        _save(users)
        if keep:
            keep(arguments.name, owner)
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    from signoff.queue import acl

    settings = _settings()
    url = _url(settings)
    with _users(settings) as users:
        password = users.rotate(arguments.name)
        _print(SIGNOFF_REDIS_URL=acl.with_user(url, arguments.name, password))
        _save(users)
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    with _users(_settings()) as users:
        users.remove(arguments.name)
        _save(users)
    say(f"{arguments.name} is gone from Redis. What it asked stays where it is, and can still be decided.")
    return 0


def _off(arguments: argparse.Namespace) -> int:
    with _users(_settings()) as users:
        ended = users.switch_off(arguments.name)
        if ended is None:
            raise ConfigError(NO_SUCH.format(name=arguments.name))
        _save(users)
    say(f"connections ended: {ended}. `signoff agent on {arguments.name}` lets it in again.")
    return 0


def _on(arguments: argparse.Namespace) -> int:
    with _users(_settings()) as users:
        users.switch_on(arguments.name)
        _save(users)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    with _users(_settings()) as users:
        found = users.agents()
    if arguments.json:
        print(json.dumps([one.__dict__ for one in found]))
    for one in [] if arguments.json else found:
        print(f"{one.name:<40} {'on' if one.on else 'off':<3} connections: {one.connections}")
    if not found and not arguments.json:
        say("no agent has a Redis user yet: `signoff agent add NAME` makes one.")
    return 0


def _print(**settings: str) -> None:
    for name, value in settings.items():
        print(f"{name}={shlex.quote(value)}")


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


def _users(settings: Settings) -> Users:
    from signoff.queue.users import Users

    return Users(_admin(settings))


def _settings() -> Settings:
    from signoff.server import settings

    return settings.load()
