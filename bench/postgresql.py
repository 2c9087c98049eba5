"""A PostgreSQL that goes away with what is measured on it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

POSTGRESQL = Path("/usr/lib/postgresql")


@contextmanager
def postgresql() -> Iterator[str | None]:
    """The URL of a throwaway PostgreSQL; None where none is installed."""
    found = sorted(POSTGRESQL.glob("*/bin/pg_ctl"))
    if not found:
        yield None
        return
    binaries = found[-1].parent
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="signoff-bench-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]

    def call(*command: str | Path) -> None:
        subprocess.run([*as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    data = folder / "data"
    try:
        call(binaries / "initdb", "-D", data, "-U", "signoff", "-A", "trust", "-N")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        call(binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        yield f"postgresql+psycopg://signoff@127.0.0.1:{port}/postgres"
    finally:
        command = [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)
