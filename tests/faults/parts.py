"""The processes of a world: each is started by itself, so that each can be killed by itself."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import redis
from faults.nursery import Born
from support import eventually, free_port, missing

from signoff.server import processes

START_SECONDS = 60.0
READY_FD = "SIGNOFF_READY_FD"


class Part:
    """One process. `start` it from the main thread only: it dies with the thread that started it."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.command = command
        self.env = dict(env)
        self.folder = folder
        self.process: subprocess.Popen[bytes] | Born | None = None
        self.begin: Callable[..., subprocess.Popen[bytes] | Born] = processes.start
        self._pipe: int | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self, **more: str) -> None:
        """Start it, and do not wait; `more` is added to its environment this once."""
        self._forget()
        self._pipe, theirs = os.pipe()
        try:
            with self.log.open("ab") as log:
                self.process = self.begin(
                    self.command,
                    env=self.env | more | {READY_FD: str(theirs)},
                    cwd=self.folder,
                    stdout=log,
                    stderr=log,
                    own_group=True,
                    pass_fds=(theirs,),
                )
        finally:
            os.close(theirs)

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it has said so since it was started."""
        return self._pipe is not None and bool(select.select([self._pipe], [], [], 0)[0])

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Until it says that it is ready; raises AssertionError where it dies before."""
        eventually(lambda: self.ready or not self.running, seconds)
        assert self.running, f"{self.name} ended with {self.code}:\n{self.log.read_text()[-2000:]}"

    @property
    def code(self) -> int | None:
        """How it ended: a signal's number, negative; None while it runs."""
        return None if self.process is None else self.process.poll()

    def kill(self) -> None:
        """SIGKILL, and gone."""
        if self.process:
            self.process.kill()
            self.process.wait(60)

    def signal(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)

    def freeze(self) -> None:
        """It does nothing any more until `thaw`, and its connections stay."""
        self.signal(signal.SIGSTOP)

    @property
    def stands_still(self) -> bool:
        """Whether it was stopped by a signal, or has stopped itself."""
        if self.process is None or not self.running:
            return False
        try:
            state = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state == "T"

    def thaw(self) -> None:
        """It goes on where it was."""
        self.signal(signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM; SIGKILL where that is not enough."""
        if self.running:
            assert self.process
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
            self.kill()
        self._forget()

    def _forget(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


class RedisPart(Part):
    """A redis-server that writes every second what it was told to disk, as is recommended."""

    def __init__(
        self,
        folder: Path,
        name: str = "redis",
        env: Mapping[str, str] | None = None,
        logs: Path | None = None,
    ) -> None:
        binary = shutil.which("redis-server") or missing("redis-server")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.data = folder / name
        self.data.mkdir(exist_ok=True)
        command = [
            binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.data), "--save", "",
            "--appendonly", "yes", "--appendfsync", "everysec", "--loglevel", "warning",
        ]  # fmt: skip
        super().__init__(name, command, {**os.environ, **(env or {})}, logs or folder)
        self.client = redis.Redis(port=self.port, socket_timeout=5)

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Until it answers."""
        eventually(self._answers, seconds)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


class PostgreSQL(Part):
    """A cluster of its own. To kill it is to kill every process of it, as a machine that dies does."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None, logs: Path | None = None) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not found:
            missing("postgresql")
        self.port, self.data, binary = free_port(), folder / "postgresql", found[-1]
        self.url = f"postgresql+psycopg://signoff@127.0.0.1:{self.port}/postgres"
        self.data.mkdir()
        self._user = os.geteuid() == 0  # PostgreSQL refuses to run as root
        if self._user:
            shutil.chown(self.data, "postgres", "postgres")
            self._let_through(folder)
        initdb = [str(binary.parent / "initdb"), "-D", str(self.data), "-U", "signoff", "-A", "trust"]
        subprocess.run(
            [*self._become(), *initdb, "--wal-segsize=1"], check=True, stdout=subprocess.DEVNULL, cwd="/"
        )
        given = ["-D", str(self.data), "-p", str(self.port), "-k", str(self.data)]
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=120"]
        command = [*self._become(), str(binary), *given, *options]
        super().__init__("postgresql", command, {**os.environ, **(env or {})}, logs or folder)

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Until it takes connections."""
        eventually(self._answers, seconds)

    def kill(self) -> None:
        """SIGKILL to the postmaster and to each of its processes."""
        if self.process is None:
            return
        mine = [self.process.pid, *children_of(self.process.pid)]
        for number in mine:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.process.wait(60)
        eventually(lambda: not any(Path(f"/proc/{number}").exists() for number in mine))

    def freeze(self) -> None:
        """The postmaster first, so that it starts no others; then each of its processes."""
        super().freeze()
        self._signal_children(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_children(signal.SIGCONT)
        super().thaw()

    def _signal_children(self, number: int) -> None:
        for child_id in children_of(self.process.pid) if self.process else ():
            with suppress(ProcessLookupError):
                os.kill(child_id, number)

    def stop(self) -> None:
        """SIGINT: a fast shutdown."""
        self.signal(signal.SIGINT)
        super().stop()

    def _become(self) -> list[str]:
        if not self._user:
            return []
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL"]

    def _let_through(self, folder: Path) -> None:
        for path in (folder, *folder.parents):
            if path.stat().st_uid == os.geteuid() and path != Path("/"):
                path.chmod(path.stat().st_mode | 0o011)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(port=self.port, host="127.0.0.1", user="signoff", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def children_of(parent: int) -> list[int]:
    """The ids of a process's children."""
    try:
        return [int(n) for n in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []
