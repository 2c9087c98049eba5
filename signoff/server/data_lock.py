"""The lock of a data folder: one `serve`, or one restore, at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from signoff.errors import ConfigError
from signoff.queue import private


def lock(data: Path, owner: int) -> IO[str]:
    """Take it for a process: who has this file open has it. Raises ConfigError while another one has it."""
    private.make_folder(data)
    file = os.fdopen(os.open(data / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise ConfigError(
            f"`signoff serve` runs already in {data} (process {holder}): "
            "stop it, or set SIGNOFF_DATA to another folder."
        ) from None
    file.truncate(0)
    file.write(f"{owner}\n")
    file.flush()
    return file


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold a data folder's lock; raises ConfigError while another process has it."""
    with lock(data, os.getpid()):
        yield
