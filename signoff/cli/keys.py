"""`signoff keys` and `signoff env`: the server's signing key, and what an agent has to be told."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import TYPE_CHECKING

from signoff.cli.output import say
from signoff.cli.parsers import Commands, command, group
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.server.settings import Settings

GENERATE_EPILOG = """\
Writes signing.key into the data folder (SIGNOFF_DATA), readable by you alone, and prints the public key.
A new key makes every receipt of the old one worthless, unless the agents' SIGNOFF_VERIFY_KEY names both.
"""
ENV_EPILOG = """\
  eval "$(signoff env)"

What the agent of this user on this machine has to set, or what one has set whose environment this is. It
holds the agent's own password of Redis. `signoff agent add` makes another agent, and prints its settings.
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    keys = group(commands, "keys", "make or show the server's signing key")
    generate = command(
        keys, "generate", _generate, "make a signing key", common=common, epilog=GENERATE_EPILOG
    )
    generate.add_argument("--force", action="store_true", help="replace the key that is there")
    command(keys, "public", _public, "print the public key, which agents verify with", common=common)
    env = command(
        commands, "env", _env, "print what an agent has to set, as shell lines", common=common,
        epilog=ENV_EPILOG,
    )  # fmt: skip
    env.add_argument("--agent", metavar="NAME", help="its name (default: SIGNOFF_AGENT, else local)")


def _generate(arguments: argparse.Namespace) -> int:
    from signoff.queue.data_folder import write_private
    from signoff.receipts import Signer

    settings = _settings()
    if settings.signing_key:
        raise ConfigError("SIGNOFF_SIGNING_KEY is set, and is used: unset it to keep the key in a file.")
    if settings.key_file.exists() and not arguments.force:
        raise ConfigError(
            f"{settings.key_file} exists: `signoff keys public` prints its public key. --force replaces it, "
            "and makes every receipt that it has signed worthless."
        )
    signer = Signer.generate()
    write_private(settings.key_file, signer.private_text() + "\n")
    say(f"the key is in {settings.key_file}. Agents get the public one:")
    print(signer.verify_key)
    return 0


def _public(_: argparse.Namespace) -> int:
    print(_settings().signer().verify_key)
    return 0


def _env(arguments: argparse.Namespace) -> int:
    from signoff.models.messages import AGENT
    from signoff.models.receipt import DEPLOYMENT
    from signoff.queue import acl
    from signoff.queue.data_folder import LOCAL_AGENT, agent_settings
    from signoff.queue.setting_names import CALLERS

    # The environment comes first: a file may be left from a server that ran here once.
    said = dict(os.environ) if os.environ.get("SIGNOFF_REDIS_URL") else agent_settings() | dict(os.environ)
    name = arguments.agent or os.environ.get("SIGNOFF_AGENT") or LOCAL_AGENT
    if not AGENT.fullmatch(name):
        raise ConfigError(f"The agent's name {name!r} may hold a-z, 0-9 and -, at most 40 characters.")
    url = said.get("SIGNOFF_REDIS_URL", "")
    try:
        user = acl.credentials(url)[0] if url else None
    except ValueError:
        raise ConfigError("SIGNOFF_REDIS_URL is no URL, such as redis://host:6379/0.") from None
    if (
        user != name or user in acl.RESERVED
    ):  # the server's own user, another agent's, or everybody's: it is not this one's to have
        raise ConfigError(
            f"No Redis user of {name} is known here: `signoff agent add {name}` beside the server makes it, "
            "and prints all that it has to set."
        )
    key = said.get("SIGNOFF_VERIFY_KEY") or _settings().signer().verify_key
    found = {"SIGNOFF_REDIS_URL": url, "SIGNOFF_VERIFY_KEY": key, "SIGNOFF_AGENT": name}
    deployment, secret = said.get("SIGNOFF_DEPLOYMENT"), said.get("SIGNOFF_AGENT_SECRET")
    if deployment and deployment != DEPLOYMENT:
        found["SIGNOFF_DEPLOYMENT"] = deployment
    if secret:
        found["SIGNOFF_AGENT_SECRET"] = secret
    found |= {one: said[one] for one in CALLERS if said.get(one)}
    for variable, value in found.items():
        print(f"export {variable}={shlex.quote(value)}")
    return 0


def _settings() -> Settings:
    from signoff.server import settings

    return settings.load()
