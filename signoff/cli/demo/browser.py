"""Opening a link in this person's browser, where there is one to open."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping
from contextlib import suppress


def has_browser(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody sits before this machine: not over ssh, and on Linux not without a display."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_link(link: str) -> None:
    """Open it; where that fails, the link has been printed."""
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(link)
