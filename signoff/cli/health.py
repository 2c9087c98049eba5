"""`signoff health`: do the roles that run here live? For what starts containers: quick, and without Slack."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError, Unreachable

if TYPE_CHECKING:
    from signoff.server.settings import Settings

SECONDS = 3.0
"""How long Redis may take to answer."""
EPILOG = """\
  signoff health bot

A role shows that it lives by a connection to Redis that it uses every ten seconds. This looks for those that
come from this machine's (or this container's) address: each role that is named has to be there, and none may
have been silent for 30 s. Without a name: whichever run here, at least one. It asks neither Slack nor the
database; `signoff doctor` does.

exit: 0 they live   1 one does not   7 Redis unreachable, which is no fault of a role: it waits and goes on
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    health = command(
        commands, "health", _health, "do the roles on this machine live? For containers", common=common,
        epilog=EPILOG,
    )  # fmt: skip
    health.add_argument("roles", nargs="*", metavar="ROLE", help="bot, intake, worker or web")


def _health(arguments: argparse.Namespace) -> int:
    from signoff.server import pulse, settings

    unknown = set(arguments.roles) - set(pulse.ROLES)
    if unknown:
        raise ConfigError(f"there is no role {sorted(unknown)[0]}: {', '.join(pulse.ROLES)}.")
    heard = _heard(settings.load())
    well = bool(heard or arguments.roles)
    for role in arguments.roles or heard:
        ago = heard.get(role)
        lives = ago is not None and ago < pulse.SILENT_SECONDS
        well &= lives
        said = "does not run here" if ago is None else f"heard of {ago:.0f} s ago"
        print(f"{'✓' if lives else '✗'} {role}: {said}")
    if not heard and not arguments.roles:
        print("✗ no role runs here")
    return 0 if well else 1


def _heard(settings: Settings) -> dict[str, float]:
    """The roles of this address, by the seconds since each was heard; raises Unreachable."""
    from redis.exceptions import RedisError

    from signoff.queue.acl import credentials
    from signoff.server import own_redis, pulse, redis_link

    url = settings.redis_url or own_redis.kept_url(settings.data)
    if not url:
        return {}
    try:
        with redis_link.quick(url, SECONDS) as client:
            here = _host(client.client_info())
            clients = [one for one in client.client_list() if _host(one) == here]
    except (RedisError, OSError) as error:
        raise Unreachable(f"Redis does not answer: {type(error).__name__}.") from None
    except (ValueError, KeyError):
        raise ConfigError("SIGNOFF_REDIS_URL is no URL, such as redis://user:…@host:6379/0.") from None
    return pulse.heard(clients, credentials(url)[0])


def _host(client: Any) -> str:
    """Where a connection comes from, as Redis sees it, without its port."""
    return str(client.get("addr", "")).rpartition(":")[0]
