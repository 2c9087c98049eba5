"""Whose turn it is: one demo at a time in a folder, and where it is to be seen."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from signoff.errors import ConfigError
from signoff.queue.neighbours import DEMO_LOCK


class Claim:
    """A folder that is ours until the `with` ends."""

    def __init__(self, folder: Path, file: IO[str]) -> None:
        self._folder, self._file = folder, file

    def tell(self, link: str) -> None:
        """Leave for a second demo, and for agents, where this one is to be seen."""
        self._file.truncate(0)
        self._file.write(f"{os.getpid()} {link}\n")
        self._file.flush()

    def clear(self) -> None:
        """Remove all that is in the folder, and the folder."""
        shutil.rmtree(self._folder)


@contextmanager
def claimed(folder: Path) -> Iterator[Claim]:
    """Hold the folder; raises ConfigError, saying where the other demo is, while there is one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / DEMO_LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            process, _, link = file.read().strip().partition(" ")
            where = f"look at {link} (process {process})" if link else "it is just starting"
            raise ConfigError(f"A demo runs already: {where}. Ctrl-C there ends it.") from None
        file.truncate(0)
        try:
            yield Claim(folder, file)
        finally:
            file.truncate(0)  # agents look there for a demo that runs
