"""Where a server of this user leaves what its agents need: how the two find each other on one machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from signoff.errors import ConfigError

LOCAL_AGENT = "local"
"""The agent of the same user on the same machine: the only one that finds its settings by itself."""
AGENT_FILE = "agent.env"


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
    return data_folder() / AGENT_FILE


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
