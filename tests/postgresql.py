"""A PostgreSQL of the tests' own, and databases in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from support import free_port, missing

GIVEN = "SIGNOFF_TEST_POSTGRES"
"""In the environment: the URL of a server that is there already, up to the database's name."""
MEMORY, ROOM = Path("/dev/shm"), 2**30
"""A database is some 300 files: made in memory in 10 ms, on a disk in up to 400."""
CARELESS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
"""Nothing in it outlives the tests, and none of them cuts its power."""


class Databases:
    """What makes databases, and drops them. `server` is their URL, up to a database's name."""

    def __init__(self, server: str) -> None:
        self.server = server
        self._admin = psycopg.connect(f"{server.replace('+psycopg', '')}/postgres", autocommit=True)

    def create(self, prefix: str, template: str = "template1") -> str:
        """A new database, a copy of `template`; gives its URL."""
        name = f"{prefix}_{os.urandom(6).hex()}"
        # By files it is quicker than by the log, where a checkpoint has no disk to wait for.
        by_files = "STRATEGY FILE_COPY" if self._admin.info.server_version >= 150_000 else ""
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} {by_files}".encode())
        return f"{self.server}/{name}"

    def drop(self, url: str) -> None:
        self._admin.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)".encode())

    def close(self) -> None:
        self._admin.close()


@contextmanager
def throwaway() -> Iterator[str]:
    """A server that runs inside the `with`, or the one that is given; its URL up to the database's name."""
    if given := os.environ.get(GIVEN):
        yield given
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        missing("postgresql")
    binaries, port = found[-1].parent, free_port()
    folder = Path(tempfile.mkdtemp(prefix="signoff-pg-", dir=_place()))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]

    def run(binary: str, *options: str, check: bool = True) -> None:
        command = [*as_user, str(binaries / binary), "-D", f"{folder}/data", *options]
        subprocess.run(command, check=check, stdout=subprocess.DEVNULL, cwd="/")

    try:
        run("initdb", "-U", "signoff", "-A", "trust", "-N")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200 {CARELESS}"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        yield f"postgresql+psycopg://signoff@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path | None:
    """In memory, where there is room for it."""
    try:
        return MEMORY if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM else None
    except OSError:
        return None
