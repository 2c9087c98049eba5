"""Where a command was started: nothing of the current folder counts, and files are private."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signoff.server import environment

PRIVATE = 0o077
"""The umask: what we and our children make is for this user alone."""
umask_before = -1
"""The user's own, for a program that is theirs and not ours."""


def leave_current_folder() -> None:
    """From now on neither programs nor modules are looked for in the current folder.

    PATH and Python's own list may name it, often by an empty entry. Only where Signoff itself lies there, its
    source that is, its modules come from there.
    """
    if path := os.environ.get("PATH"):
        os.environ["PATH"] = environment.without_relative(path)
    try:
        here = os.getcwd()
    except OSError:  # it was deleted
        here = ""
    if here != str(Path(__file__).parents[2]):
        sys.path[:] = [entry for entry in sys.path if entry not in ("", os.curdir, here)]


@contextmanager
def private_files() -> Iterator[None]:
    """Whatever the umask, files that are made inside the `with` are for this user alone."""
    global umask_before
    before = umask_before = os.umask(PRIVATE)
    try:
        yield
    finally:
        os.umask(before)
