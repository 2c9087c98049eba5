"""An agent's settings: from arguments, the environment, or the server this user runs on this machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from signoff.errors import ConfigError
from signoff.models.wire import AGENT, DEPLOYMENT
from signoff.queue import acl, neighbours
from signoff.queue.data_folder import LOCAL_AGENT
from signoff.queue.neighbours import Neighbour
from signoff.signatures import VerifyKeys, verify_keys

SET = (
    "set SIGNOFF_REDIS_URL, SIGNOFF_VERIFY_KEY and SIGNOFF_AGENT "
    "(`signoff agent add NAME` beside the server prints them)"
)
NO_SERVER = (
    "No server of this user runs here: start one with `signoff serve`, or `signoff demo` to try it out; for "
    f"one that runs elsewhere {SET}."
)
NO_REDIS = "The server of this user uses a Redis that its agents have to be told of: " + SET + "."
CHECK = "Check SIGNOFF_REDIS_URL and that Redis runs."
START = "It is the own server of this user, so start it: `signoff serve`."
EXAMPLE = "redis://billing-bot:PASSWORD@redis.example.com:6379/0"
WRITE = f"write it as {EXAMPLE}, with %23 for a # in the password."


@dataclass(frozen=True)
class Settings:
    """Where Redis is, who this agent is, and whose receipts it takes: by key, and by deployment.

    `secret` is the agent's own, which keeps others from telling its requests' ids; None where it has none.
    `fix` says what to do where that Redis does not answer.
    """

    redis_url: str
    agent: str
    verify_keys: VerifyKeys
    deployment: str = DEPLOYMENT
    secret: str | None = field(default=None, repr=False)
    fix: str = CHECK


def load_settings(
    redis_url: str | None = None, agent: str | None = None, verify_key: str | None = None
) -> Settings:
    """Arguments first, then SIGNOFF_REDIS_URL, SIGNOFF_AGENT and SIGNOFF_VERIFY_KEY; and from the environment
    alone SIGNOFF_DEPLOYMENT and SIGNOFF_AGENT_SECRET.

    Where neither Redis nor a key is named, a server of this user on this machine is used, as the agent
    `local` alone: the one of the data folder, else the demo that runs (`signoff.queue.neighbours`); which one
    is logged. Raises ConfigError, naming what is missing and what to do.
    """
    url = redis_url or os.environ.get("SIGNOFF_REDIS_URL")
    key = verify_key or os.environ.get("SIGNOFF_VERIFY_KEY")
    name = agent or os.environ.get("SIGNOFF_AGENT")
    deployment = os.environ.get("SIGNOFF_DEPLOYMENT")
    secret = os.environ.get("SIGNOFF_AGENT_SECRET")
    fix = CHECK
    if not url and not key:
        found = _neighbour(name)
        local, name = found.settings, name or LOCAL_AGENT
        url, key = local["SIGNOFF_REDIS_URL"], local.get("SIGNOFF_VERIFY_KEY")
        deployment = deployment or local.get("SIGNOFF_DEPLOYMENT")
        secret = secret or local.get("SIGNOFF_AGENT_SECRET")
        fix = "The demo has ended: start it again, `signoff demo`." if found.page else START
    if not url:
        raise ConfigError(f"SIGNOFF_REDIS_URL is not set: write it as {EXAMPLE}.")
    _check_url(url)
    if not key:
        raise ConfigError("SIGNOFF_VERIFY_KEY is not set: `signoff keys public` prints the server's.")
    if not name:
        raise ConfigError("SIGNOFF_AGENT is not set: give this agent a name such as billing-bot.")
    if not AGENT.fullmatch(name):
        meant = re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-") or "billing-bot"
        raise ConfigError(
            f"The agent's name {name[:60]!r} may hold a-z, 0-9 and -, at most 40 characters: write {meant}."
        )
    return Settings(url, name, verify_keys(key), deployment or DEPLOYMENT, secret or None, fix)


def _neighbour(name: str | None) -> Neighbour:
    """The server of this user that is asked where nothing is set; logged. Raises ConfigError."""
    found = neighbours.find()
    if found is None:
        raise ConfigError(NO_SERVER)
    url = found.settings.get("SIGNOFF_REDIS_URL")
    if not url:
        raise ConfigError(NO_REDIS)
    user = acl.credentials(url)[0]
    if name not in (None, "", user) and user == LOCAL_AGENT:
        raise ConfigError(
            f"The server here knows this user's agent as {LOCAL_AGENT}, not {name}: "
            f"`signoff agent add {name}` makes a Redis user of that name, and prints what to set."
        )
    import logging  # here, as a hook that starts for every call of a tool has settings, and no time

    log = logging.getLogger("signoff")
    if found.page:  # nobody has set anything, so they may not know whom they ask
        log.warning("No server is set, so the demo that runs is asked: decide at %s", found.page)
    else:
        log.info("No server is set, so the one of this user is asked: %s", acl.without_user(url))
    return found


def _check_url(url: str) -> None:
    """Raise ConfigError for what is no URL of a Redis; a password in it is not told."""
    try:
        parts = urlsplit(url)
        scheme, host, _ = parts.scheme, parts.hostname, parts.port
        shown = acl.without_user(url) if "://" in url else url.rpartition("@")[2]
    except ValueError:
        raise ConfigError(f"SIGNOFF_REDIS_URL is no URL: its host or port does not read; {WRITE}") from None
    if scheme not in ("redis", "rediss", "unix"):
        raise ConfigError(f"SIGNOFF_REDIS_URL begins with no redis:// ({shown[:60]!r}): {WRITE}")
    if scheme != "unix" and not host:
        raise ConfigError(f"SIGNOFF_REDIS_URL names no host ({shown[:60]!r}): {WRITE}")
