"""An agent's settings: from arguments, the environment, or the server this user runs on this machine."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from signoff.errors import ConfigError
from signoff.models.messages import AGENT
from signoff.receipts import VerifyKeys, verify_keys

LOCAL_AGENT = "local"
"""The agent's name beside a server of this user's own, when none is set."""


@dataclass(frozen=True)
class Config:
    """Where Redis is, who this agent is, and whose receipts it takes."""

    redis_url: str
    agent: str
    verify_keys: VerifyKeys


def load(redis_url: str | None = None, agent: str | None = None, verify_key: str | None = None) -> Config:
    """Arguments first, then SIGNOFF_REDIS_URL, SIGNOFF_AGENT and SIGNOFF_VERIFY_KEY.

    Where neither Redis nor a key is named, `signoff serve` of this user on this machine is used: it
    leaves both in `agent.env` in its data folder. Raises ConfigError, naming what is missing.
    """
    url = redis_url or os.environ.get("SIGNOFF_REDIS_URL")
    key = verify_key or os.environ.get("SIGNOFF_VERIFY_KEY")
    name = agent or os.environ.get("SIGNOFF_AGENT")
    if not url and not key:
        local = read_env_file(agent_file()) if agent_file().exists() else {}
        url, key = local.get("SIGNOFF_REDIS_URL"), local.get("SIGNOFF_VERIFY_KEY")
        name = name or LOCAL_AGENT
        if not url or not key:
            raise ConfigError(
                "No server: set SIGNOFF_REDIS_URL, SIGNOFF_VERIFY_KEY and SIGNOFF_AGENT "
                "(`signoff env` beside the server prints them), or start one here with `signoff serve`."
            )
    if not url:
        raise ConfigError("SIGNOFF_REDIS_URL is not set.")
    if not key:
        raise ConfigError("SIGNOFF_VERIFY_KEY is not set: `signoff keys public` prints the server's.")
    if not name:
        raise ConfigError("SIGNOFF_AGENT is not set: give this agent a name such as billing-bot.")
    if not AGENT.fullmatch(name):
        raise ConfigError(f"The agent's name {name!r} may hold a-z, 0-9 and -, at most 40 characters.")
    return Config(url, name, verify_keys(key))


def data_folder() -> Path:
    """SIGNOFF_DATA, else the user's data folder (XDG base directories; Application Support on macOS)."""
    chosen = os.environ.get("SIGNOFF_DATA")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "signoff"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "signoff"


def agent_file() -> Path:
    """Where `signoff serve` leaves what an agent on this machine needs."""
    return data_folder() / "agent.env"


def read_env_file(path: Path, *, strict: bool = True) -> dict[str, str]:
    """NAME=value lines → values; `export` and quotes allowed, # begins a comment line.

    Raises ConfigError when the file cannot be read, or where it is `strict` and a line is neither.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            if not strict:
                continue
            raise ConfigError(f"{path}, line {number}: expected NAME=value.")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    return found


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    partial.replace(path)
