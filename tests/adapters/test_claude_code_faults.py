"""`signoff hook` with the real Claude Code: what goes wrong in the middle; and the http hook it installs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.claude_cli import Claude, FakeModel, ToolUse, ended, fake_model
from support import Core, RedisServer, eventually, intake_of
from web.conftest import opened

AGENT = "billing-bot"
SIGNOFF = [sys.executable, "-m", "signoff"]


def bash(*commands: str) -> list[str | ToolUse]:
    """A turn of the model that runs these at once."""
    return [ToolUse("Bash", {"command": one}) for one in commands]


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """These tests are about the hook: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


class Machine:
    """A person's machine, with Signoff's settings in a file of theirs and `signoff` on the path."""

    def __init__(self, core: Core, redis_url: str, folder: Path) -> None:
        self.core, self.folder = core, folder
        self.file = folder / "hook.env"
        lines = {"REDIS_URL": redis_url, "AGENT": AGENT, "VERIFY_KEY": core.signer.verify_key}
        self.file.write_text("".join(f"SIGNOFF_{name}={value}\n" for name, value in lines.items()))
        self.file.chmod(0o600)

    def claude(self, model: FakeModel, name: str = "one") -> Claude:
        """A Claude Code whose hooks are found beside this Python."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return Claude(self.folder / name, model, {"PATH": path})

    def install(self, claude: Claude, *words: str) -> str:
        """`signoff hook install` for them; gives what it says."""
        command = [*SIGNOFF, "hook", "install", "--env-file", str(self.file), *words]
        done = subprocess.run(
            command, env=claude.env, cwd=claude.project, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    def waiting(self, number: int = 1) -> list[str]:
        """The ids of what waits, once there are so many."""
        eventually(lambda: len(self.core.store.waiting()) == number)
        return [one for one, _ in self.core.store.waiting()]


@pytest.fixture
def machine(core: Core, redis_url: str, tmp_path: Path) -> Iterator[Machine]:
    """With a server that takes what comes by Redis."""
    with intake_of(core, redis_url, AGENT):
        yield Machine(core, redis_url, tmp_path)


class TestRestarts:
    """What the hook waits for is killed, and comes back."""

    @pytest.fixture
    def redis_url(self, own_redis: RedisServer) -> str:
        """One that may be stopped."""
        return own_redis.url

    def test_a_server_and_a_redis_that_are_killed_in_the_middle_are_waited_for(
        self, core: Core, own_redis: RedisServer, redis_url: str, tmp_path: Path
    ) -> None:
        with fake_model(bash("echo x > out")) as model:
            machine = Machine(core, redis_url, tmp_path)
            claude = machine.claude(model)
            machine.install(claude)
            with intake_of(core, redis_url, AGENT):
                process = claude.start()
                [one] = machine.waiting()
            own_redis.stop(kill=True)
            own_redis.start()
            with intake_of(core, redis_url, AGENT):
                core.approvals.decide(one, 1, "U0ANA", "approve")
                assert ended(process).result == "Done."
            assert (claude.project / "out").read_text() == "x\n"


def test_an_interrupted_claude_withdraws_what_it_asked(machine: Machine) -> None:
    with fake_model(bash("echo x > out")) as model:
        claude = machine.claude(model)
        machine.install(claude)
        process = claude.start()
        [one] = machine.waiting()
        process.send_signal(signal.SIGTERM)
        eventually(lambda: not machine.core.approvals.get(one).pending)
        assert machine.core.approvals.get(one).status == "cancelled"
        ended(process)
        assert not (claude.project / "out").exists()


def test_the_http_hook_that_install_writes_asks_a_server(core: Core, redis_url: str, tmp_path: Path) -> None:
    with opened(core, redis_url) as door, fake_model(bash("echo x > out")) as model:
        claude = Claude(tmp_path, model, {"SIGNOFF_TOKEN": door.add(AGENT, "hook")})
        command = [*SIGNOFF, "hook", "install", "--http", door.url]
        subprocess.run(command, env=claude.env, cwd=claude.project, capture_output=True, check=True)
        process = claude.start()
        [(one, _)] = eventually(core.store.waiting)
        core.approvals.decide(one, 1, "U0ANA", "approve")
        assert ended(process).result == "Done." and (claude.project / "out").read_text() == "x\n"
        eventually(lambda: _outcomes(core) == [True])


def test_a_hook_that_crashes_hangs_or_is_not_there_denies(tmp_path: Path) -> None:
    """What `install` writes around the command stands between; the command here is another."""
    faults = {
        "crashes": "exit 1",
        "hangs": "sleep 60",
        "is gone": "/nowhere/signoff",
        "half": "echo '{\"hook'; exit 1",
    }
    for name, command in faults.items():
        hook = {"type": "command", "command": command, "timeout": 1, "onFailure": "block"}
        settings = {"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [hook]}]}}
        with fake_model(bash("echo x > out")) as model:
            claude = Claude(tmp_path / name, model)
            claude.run(settings=settings)
            assert not (claude.project / "out").exists() and model.results()[0]["is_error"], name


def _outcomes(core: Core) -> list[bool]:
    with core.store.reading() as connection:
        query = "SELECT id FROM approval WHERE status = 'approved' ORDER BY created_at"
        found = [core.approvals.get(one) for one in connection.exec_driver_sql(query).scalars()]
    return [one.outcome.succeeded for one in found if one.outcome]
