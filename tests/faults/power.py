"""The server's machine loses its power: every process at once, and of every file all that was not synced.

A small library in the parts that keep data notes each file as it was at its last fsync. After the end, the
files are put back to that: the harshest that a disk may do which keeps its word. What it does not show: disks
that lie, and file systems that lose a rename.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.kills import Watch, recover, under_load
from faults.parts import PostgreSQL
from faults.world import World

SOURCE = Path(__file__).with_name("synced.c")
PROGRAM = """
import os, sys
folder = sys.argv[1]
for name, synced in ("kept", True), ("lost", False):
    with open(f"{folder}/{name}", "wb", buffering=0) as file:
        file.write(b"first")
        os.fsync(file.fileno())
        file.write(b" second")
        if synced:
            os.fsync(file.fileno())
"""


class Memory:
    """What of a world's files is surely on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library, self.copies, self.start = folder / "synced.so", folder / "copies", folder / "start"
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise SystemExit("power-loss needs a C compiler (cc): install one, or leave this kind out.")
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(self.library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        self.copies.mkdir()
        for path in (folder, self.copies):
            path.chmod(0o777)  # PostgreSQL runs as a user of its own
        self.library.chmod(0o755)

    def environment(self, data: Path) -> dict[str, str]:
        """What makes a process note what it syncs below `data`."""
        return {
            "LD_PRELOAD": str(self.library),
            "SYNCED_ROOT": str(data.resolve()),
            "SYNCED_COPIES": str(self.copies),
        }

    def begin(self, data: Path) -> None:
        """From here on; what is there now is on disk."""
        os.sync()
        shutil.copytree(data, self.start, symlinks=True)

    def put_back(self, data: Path) -> None:
        """Each file as it was when it was last synced; those that never were, are gone."""
        kept = {path: path.stat().st_uid for path in (data, *data.rglob("*"))}
        for path in data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.start, data, symlinks=True, dirs_exist_ok=True)
        for path in self.copies.rglob("*"):
            if path.is_file() and path.suffix not in (".lock", ".fresh"):
                target = data / path.relative_to(self.copies)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        for path in data.rglob("*"):
            owner = kept.get(path, kept.get(path.parent, os.geteuid()))
            os.chown(path, owner, owner if owner else -1, follow_symlinks=False)
            if owner:
                path.chmod(0o700 if path.is_dir() else 0o600)
        for leftover in [*data.rglob("postmaster.pid"), *data.glob("*.db-shm")]:
            leftover.unlink()

    def check(self) -> None:
        """The library works; raises AssertionError where it lost what was synced, or keeps what was not."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            env = os.environ | self.environment(Path(name)) | {"SYNCED_COPIES": f"{name}/copies"}
            subprocess.run([sys.executable, "-c", PROGRAM, name], env=env, check=True)
            found = {path.name: path.read_bytes() for path in Path(name, "copies").iterdir()}
            assert (found["kept"], found["lost"]) == (b"first second", b"first"), found


@contextmanager
def noted() -> Iterator[tuple[Memory, dict[str, object]]]:
    """A memory, and the options of a world that is remembered."""
    with tempfile.TemporaryDirectory(prefix="faults-power-") as name:
        folder = Path(name)
        memory, data = Memory(folder), folder / "data"
        memory.check()
        data.mkdir()
        yield memory, {"data": data, "preload": memory.environment(data), "migrated": memory.begin}


def lose(memory: Memory, world: World, watch: Watch, dice: random.Random) -> float | None:
    """Everything but the agents, who are elsewhere, at once. How long it takes from when all is up again."""
    under_load(world, watch, dice.uniform(0.3, 2.0))
    parts = [part for name, part in world.parts.items() if not name.startswith("agent")]
    for part in parts:
        part.kill()
    world.store.engine.dispose()
    memory.put_back(world.data)
    for part in parts:
        part.start()
        if part.name == "redis" or isinstance(part, PostgreSQL):
            part.wait_ready()
    for part in parts:
        part.wait_ready()
    return recover(world, watch, time.time())
