"""The servers that this user runs on this machine: how an agent without settings finds one.

Only what lies in this user's own data folder counts, and nobody else can have put it there (`private`); the
current folder is never looked at. A demo counts while it runs: it says so in its lock, and takes that back.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from signoff.queue import data_folder, private

DEMO = "demo"
"""The folder, in the data folder, where a demo keeps everything."""
DEMO_LOCK = "demo.lock"
"""Who plays there: its process and the page's link, on one line; empty where nobody does."""
DEMO_SERVER = "server"
"""The data folder of a demo's server, in the demo's."""


@dataclass(frozen=True)
class Neighbour:
    """A server of this user, and what it left for its agents. `page` is a demo's; empty for any other."""

    settings: dict[str, str]
    page: str = ""


def find() -> Neighbour | None:
    """The server of the data folder, else the demo that runs; None where there is neither.

    A demo never stands in for a server that was set up here, whether that runs or not. Raises ConfigError
    where somebody else could have written what is found.
    """
    settings = data_folder.agent_settings()
    return Neighbour(settings) if settings else demo()


def demo() -> Neighbour | None:
    """The demo that this user runs now; None where none does. Raises ConfigError as `find`."""
    folder = data_folder.data_folder() / DEMO
    page = _page(folder / DEMO_LOCK)
    settings = data_folder.agent_settings(folder / DEMO_SERVER) if page else {}
    return Neighbour(settings, page) if settings.get("SIGNOFF_REDIS_URL") else None


def demo_file() -> Path:
    """Where a demo leaves what an agent on this machine needs."""
    return data_folder.data_folder() / DEMO / DEMO_SERVER / data_folder.AGENT_FILE


def _page(lock: Path) -> str:
    """What a demo's lock says where its process lives, and is this user's; else nothing."""
    if not hasattr(os, "geteuid") or not os.path.lexists(lock):  # there is no demo on Windows
        return ""
    private.check_folder(lock.parent)
    try:
        process, _, page = private.read_private(lock).strip().partition(" ")
    except FileNotFoundError:
        return ""
    return page if process.isdecimal() and _lives(int(process)) else ""


def _lives(process: int) -> bool:
    """Whether a process of this user has this number."""
    try:
        os.kill(process, 0)
    except (OSError, OverflowError):  # gone, or somebody else's
        return False
    return True
