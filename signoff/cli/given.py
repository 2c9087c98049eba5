"""Where a command's settings come from: the environment, a file that is named, and the data folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from signoff.cli.output import printable, say
from signoff.errors import ConfigError
from signoff.queue.data_folder import absolute, read_env_file, server_file, server_settings
from signoff.queue.setting_names import NAMES

OF_AGENTS = frozenset({"request", "wait", "status", "cancel", "report", "verify", "mcp", "mcp gate"}) | {
    "hook claude-code", "hook install", "hook uninstall"
}  # fmt: skip
"""Commands of an agent: what its server keeps for itself is none of its business."""
WITHOUT = frozenset({"init", "manifest", "sandbox", "demo", "help", "completion"})
"""Commands that no settings of the server concern, or that look at its file themselves."""
SHOWN = 5
"""How many of the names that are passed over are told."""


def read(arguments: argparse.Namespace) -> None:
    """Put what the files say into the environment, where it does not say so itself; raises ConfigError.

    A file sets names of ours and no others: PYTHONPATH, LD_PRELOAD or a proxy are for the environment to say.
    """
    _point_out(arguments)
    _put(absolute(_ours(os.environ), Path(os.curdir)), over=True)
    if named := getattr(arguments, "env_file", None):
        path = Path(named)
        _put(_known(path, absolute(read_env_file(path), path.parent)))
    command = getattr(arguments, "command", None)
    if command is None or command in OF_AGENTS | WITHOUT:
        return
    if command == "doctor":  # which says it in its own words
        with suppress(ConfigError):
            _put(_known(server_file(), server_settings()))
    else:
        _put(_known(server_file(), server_settings()))


def _ours(given: Mapping[str, str]) -> dict[str, str]:
    """Settings of ours, but for SIGNOFF_DATA: a relative one is refused where it is used."""
    return {name: value for name, value in given.items() if name in NAMES and name != "SIGNOFF_DATA"}


def _put(found: Mapping[str, str], *, over: bool = False) -> None:
    for name, value in found.items():
        if over or name not in os.environ:
            os.environ[name] = value


def _known(path: Path, found: Mapping[str, str]) -> dict[str, str]:
    """The settings among what a file says; of the rest it is told that it does not count."""
    others = sorted(found.keys() - NAMES)
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        names = f"{', '.join(others[:SHOWN])}{more}"
        say(printable(f"{path}: passed over, no settings of Signoff: {names}."))
    return {name: value for name, value in found.items() if name in NAMES}


def _point_out(arguments: argparse.Namespace) -> None:
    """Say that a .env of the current folder is not read, where one might think so."""
    named = getattr(arguments, "env_file", "")
    if named == "" or not os.path.lexists(".env") or os.path.isdir(".env"):
        return
    with suppress(OSError):
        if named and os.path.samefile(named, ".env"):
            return
    say("the file .env of this folder is not read; if its settings are yours, name it: --env-file .env")
