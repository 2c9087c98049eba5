"""An agent's settings: from arguments, the environment, or the server this user runs on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from signoff.errors import ConfigError
from signoff.models.messages import AGENT
from signoff.models.receipt import DEPLOYMENT
from signoff.queue import acl
from signoff.queue.data_folder import LOCAL_AGENT, agent_settings
from signoff.receipts import VerifyKeys, verify_keys


@dataclass(frozen=True)
class Settings:
    """Where Redis is, who this agent is, and whose receipts it takes: by key, and by deployment.

    `secret` is the agent's own, which keeps others from telling its requests' ids; None where it has none.
    """

    redis_url: str
    agent: str
    verify_keys: VerifyKeys
    deployment: str = DEPLOYMENT
    secret: str | None = field(default=None, repr=False)


def load_settings(
    redis_url: str | None = None, agent: str | None = None, verify_key: str | None = None
) -> Settings:
    """Arguments first, then SIGNOFF_REDIS_URL, SIGNOFF_AGENT and SIGNOFF_VERIFY_KEY; and from the environment
    alone SIGNOFF_DEPLOYMENT and SIGNOFF_AGENT_SECRET.

    Where neither Redis nor a key is named, `signoff serve` of this user on this machine is used: it
    leaves both in `agent.env` in its data folder, for the agent `local` alone. Raises ConfigError, naming
    what is missing.
    """
    url = redis_url or os.environ.get("SIGNOFF_REDIS_URL")
    key = verify_key or os.environ.get("SIGNOFF_VERIFY_KEY")
    name = agent or os.environ.get("SIGNOFF_AGENT")
    deployment = os.environ.get("SIGNOFF_DEPLOYMENT")
    secret = os.environ.get("SIGNOFF_AGENT_SECRET")
    if not url and not key:
        local = agent_settings()
        url, key = local.get("SIGNOFF_REDIS_URL"), local.get("SIGNOFF_VERIFY_KEY")
        name = name or LOCAL_AGENT
        deployment = deployment or local.get("SIGNOFF_DEPLOYMENT")
        secret = secret or local.get("SIGNOFF_AGENT_SECRET")
        if not url or not key:
            raise ConfigError(
                "No server: set SIGNOFF_REDIS_URL, SIGNOFF_VERIFY_KEY and SIGNOFF_AGENT "
                "(`signoff agent add` beside the server prints them), or start one here with `signoff serve`."
            )
        if name != LOCAL_AGENT and acl.credentials(url)[0] == LOCAL_AGENT:
            raise ConfigError(
                f"The server here knows this user's agent as {LOCAL_AGENT}, not {name}: "
                f"`signoff agent add {name}` makes a Redis user of that name, and prints what to set."
            )
    if not url:
        raise ConfigError("SIGNOFF_REDIS_URL is not set.")
    if not key:
        raise ConfigError("SIGNOFF_VERIFY_KEY is not set: `signoff keys public` prints the server's.")
    if not name:
        raise ConfigError("SIGNOFF_AGENT is not set: give this agent a name such as billing-bot.")
    if not AGENT.fullmatch(name):
        raise ConfigError(f"The agent's name {name!r} may hold a-z, 0-9 and -, at most 40 characters.")
    return Settings(url, name, verify_keys(key), deployment or DEPLOYMENT, secret or None)
