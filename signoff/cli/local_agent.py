"""What an agent of the server's own user on the same machine needs, in a file where it looks for it."""

from __future__ import annotations

import shlex
from pathlib import Path

from signoff.queue import acl
from signoff.queue.data_folder import AGENT_FILE, LOCAL_AGENT, agent_settings, write_private


def leave_settings(data: Path, redis_url: str, verify_key: str, deployment: str) -> None:
    """Write agent.env: the agent `local`, its Redis user, its secret, and whose receipts it takes.

    Without a URL (the Redis is not `serve`'s own) none is left there: the server's own user is for no agent.
    The secret stays as long as the file does, since the ids of what was asked with a key come from it.
    """
    secret = agent_settings(data, strict=False).get("SIGNOFF_AGENT_SECRET") or acl.new_secret()
    found = {
        "SIGNOFF_AGENT": LOCAL_AGENT,
        "SIGNOFF_VERIFY_KEY": verify_key,
        "SIGNOFF_DEPLOYMENT": deployment,
        "SIGNOFF_AGENT_SECRET": secret,
    }
    if redis_url:
        found["SIGNOFF_REDIS_URL"] = redis_url
    write_private(
        data / AGENT_FILE, "".join(f"{name}={shlex.quote(value)}\n" for name, value in found.items())
    )
