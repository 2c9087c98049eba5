"""Where a server of this user keeps what it needs, and leaves what its agents need; and settings' files."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from signoff.errors import ConfigError
from signoff.queue import private, setting_names
from signoff.queue.private import write_private as write_private

_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///(?:file:)?)(?!/|:memory:|file:)(.+)")

LOCAL_AGENT = "local"
"""The agent of the same user on the same machine: the only one that finds its settings by itself."""
AGENT_FILE = "agent.env"


def data_folder() -> Path:
    """SIGNOFF_DATA, else the user's data folder (XDG base directories; Application Support on macOS).

    Raises ConfigError for one that would depend on where a program is started: an agent works in folders
    that others have filled.
    """
    chosen = os.environ.get("SIGNOFF_DATA")
    if chosen:
        return checked_place(Path(chosen))
    if sys.platform == "darwin":
        return checked_place(Path("~/Library/Application Support/signoff"))
    base = Path(os.environ.get("XDG_DATA_HOME") or "")
    if not base.is_absolute():  # as its specification has it
        base = Path("~/.local/share")
    return checked_place(base / "signoff")


def checked_place(folder: Path) -> Path:
    """What SIGNOFF_DATA says → the folder; raises ConfigError unless it is the same everywhere."""
    try:
        found = folder.expanduser()
    except RuntimeError:
        raise ConfigError("There is no home folder to keep data in: set SIGNOFF_DATA.") from None
    if not found.is_absolute():
        raise ConfigError(
            f"SIGNOFF_DATA has to be an absolute path, so that it is one place: write {found.absolute()} if "
            "that is what you mean."
        )
    return Path(os.path.normpath(found))


def agent_file() -> Path:
    """Where `signoff serve` leaves what an agent on this machine needs."""
    return data_folder() / AGENT_FILE


def server_file() -> Path:
    """Where `signoff init` writes the server's settings."""
    return data_folder() / "server.env"


def agent_settings(data: Path | None = None, *, strict: bool = True) -> dict[str, str]:
    """What the agent's file says, if it is there, in this user's data folder or in `data`.

    Raises ConfigError where others could have written it, or where it is `strict` and a line says nothing.
    """
    return _kept(data / AGENT_FILE if data else agent_file(), strict=strict)


def server_settings() -> dict[str, str]:
    """What the server's file says, as `agent_settings`. It cannot say where it lies itself."""
    found = _kept(server_file())
    found.pop("SIGNOFF_DATA", None)
    return found


def private_file(path: Path) -> dict[str, str]:
    """A settings' file that nobody else could have written, as `agent_settings`; raises ConfigError."""
    try:
        return absolute(_parsed(path, private.read_private(path)), path.parent)
    except FileNotFoundError:
        raise ConfigError(f"{path} is not there.") from None


def _kept(path: Path, *, strict: bool = True) -> dict[str, str]:
    if not os.path.lexists(path):  # then nothing is taken from there, be it whose it may
        return {}
    private.check_folder(path.parent)
    try:
        return absolute(_parsed(path, private.read_private(path), strict=strict), path.parent)
    except FileNotFoundError:
        return {}


def read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines → values; `export` and quotes allowed, # begins a comment line.

    Raises ConfigError when the file cannot be read, or a line is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    return _parsed(path, text)


def absolute(found: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The same settings with paths that depend on no current folder: relative ones count from `folder`."""
    kept = dict(found)
    for name in setting_names.PATHS:
        if kept.get(name) and not os.path.isabs(kept[name]):
            kept[name] = os.path.normpath(folder.absolute() / os.path.expanduser(kept[name]))
    if relative := _RELATIVE_SQLITE.fullmatch(kept.get(setting_names.DATABASE, "")):
        kept[setting_names.DATABASE] = f"{relative[1]}{folder.absolute() / relative[2]}"
    return kept


def _parsed(path: Path, text: str, *, strict: bool = True) -> dict[str, str]:
    found = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = line.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier() or "\0" in value:
            if not strict:
                continue
            raise ConfigError(f"{path}, line {number}: expected NAME=value.")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip()] = value
    return found
