"""`signoff serve` as people run it: processes, signals, settings that are wrong. Slack is the stand-in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
import redis
from support import ANY_PORT, RedisServer, eventually

from signoff.queue.acl import credentials
from signoff.queue.data_folder import read_env_file, write_private
from signoff.sandbox.server import Sandbox
from signoff.server.own_redis import admin_url_file, url_file

READY = "Signoff is ready: "
FORKER = b"signoff.cli.forker"
SECONDS = 180.0
Serve = Callable[..., "Serving"]


@pytest.fixture(scope="module")
def slack() -> Iterator[Sandbox]:
    with Sandbox.start() as running:
        yield running


def handles(process_id: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal by now."""
    status = Path(f"/proc/{process_id}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


class Serving:
    """One `signoff …` process with its output in files."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.folder, self.environment = folder, environment
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, *(command if command[0] == "-c" else ["-m", "signoff", *command])],
                env=environment, cwd=folder, stdout=out, stderr=err,
            )  # fmt: skip

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    def until_ready(self) -> None:
        eventually(lambda: READY in self.out or self.process.poll() is not None, SECONDS)
        assert self.process.poll() is None, self.err

    def children(self) -> dict[str, int]:
        """Role (or redis-server, or forker) → process id."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
                words = (stat.parent / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            except OSError:
                continue
            if int(parent) == self.process.pid and state != "Z" and words != [b""]:
                name = words[-1].decode() if b"signoff" in words else "redis-server"
                found["forker" if FORKER in words else name] = int(stat.parent.name)
        return found

    def signoff(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Another command with the same settings."""
        return subprocess.run(
            [sys.executable, "-m", "signoff", *arguments],
            env={**self.environment, **more}, cwd=self.folder, capture_output=True, text=True, check=False,
            timeout=SECONDS,
        )  # fmt: skip

    def wait(self) -> int:
        return self.process.wait(SECONDS)


def alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def serve(slack: Sandbox, tmp_path: Path) -> Iterator[Serve]:
    """Start `signoff serve` (or another command) with these settings; None leaves one out."""
    with starter(slack, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def running(slack: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that is ready, for those who only look at it. Heads of its log go to a file."""
    folder = tmp_path_factory.mktemp("running")
    with starter(slack, folder) as start:
        server = start(SIGNOFF_AUDIT_WITNESS=str(folder / "heads.log"))
        server.until_ready()
        yield server


@contextmanager
def starter(slack: Sandbox, folder: Path) -> Iterator[Serve]:
    """Inside the `with`, one can be started; afterwards none of them runs."""
    started: list[Serving] = []

    def start(*command: str, **settings: str | None) -> Serving:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SIGNOFF_", "SLACK_"))}
        source = {"PYTHONPATH": str(Path(__file__).parents[2]), "SIGNOFF_DATA": str(folder / "data")}
        wanted: dict[str, Any] = {**kept, **slack.settings(), **source, **ANY_PORT, **settings}
        own = folder / f"run-{len(started)}"
        own.mkdir()
        environment = {name: value for name, value in wanted.items() if value is not None}
        started.append(Serving(list(command or ("serve",)), environment, own))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_heads_of_the_log_go_to_a_witness_while_it_serves(running: Serving, tmp_path: Path) -> None:
    heads = Path(running.environment["SIGNOFF_AUDIT_WITNESS"])
    eventually(lambda: heads.exists() and heads.read_text(), SECONDS)
    verified = running.signoff("audit", "verify", "--witness", str(heads))
    assert verified.returncode == 0 and "heads of witnesses are in the log" in verified.stdout, (
        verified.stderr
    )
    exported = running.signoff("audit", "export", str(tmp_path / "export.zip"))
    assert exported.returncode == 0, exported.stderr


def test_it_serves_until_sigterm_and_leaves_nothing_running(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    server.until_ready()
    children = server.children()
    assert children.keys() == {"bot", "intake", "worker", "web", "redis-server", "forker"}
    group = os.getpgid(server.process.pid)
    assert all(os.getpgid(children[role]) == group for role in ("bot", "intake", "worker", "web"))

    left = read_env_file(tmp_path / "data" / "agent.env")
    named = {"AGENT", "REDIS_URL", "VERIFY_KEY", "DEPLOYMENT", "AGENT_SECRET"}
    assert left.keys() == {f"SIGNOFF_{name}" for name in named} and left["SIGNOFF_AGENT"] == "local"
    assert left["SIGNOFF_REDIS_URL"].startswith("redis://local:")
    assert (tmp_path / "data" / "agent.env").stat().st_mode & 0o777 == 0o600
    kept = [
        file.read_text().strip() for file in (url_file(tmp_path / "data"), admin_url_file(tmp_path / "data"))
    ]
    passwords = [credentials(url)[1] for url in (left["SIGNOFF_REDIS_URL"], *kept)]
    assert len({*passwords}) == 3
    key = (tmp_path / "data" / "signing.key").read_text().strip()

    asked = server.signoff("request", "refund.create", "--payload", "{}", "--reversible")
    assert asked.returncode == 6, asked.stderr
    pending = server.signoff("pending", "--json")
    assert [one["id"] for one in json.loads(pending.stdout)] == [asked.stdout.strip()]
    assert asked.stdout.strip() in server.signoff("pending").stdout
    audit = server.signoff("audit", "verify")
    assert audit.returncode == 0 and "lines hold; head " in audit.stdout
    assert server.signoff("doctor").returncode == 0

    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0, server.err
    assert not any(alive(process_id) for process_id in children.values())
    assert server.out.count(READY) == 1
    tokens = [server.environment[name] for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN")]
    for secret in (*passwords, left["SIGNOFF_AGENT_SECRET"], key, *tokens):
        assert secret not in server.out + server.err


def test_its_first_line_says_whom_it_cannot_keep_apart(running: Serving) -> None:
    *said, ready = running.out.splitlines()
    assert ready.startswith(READY)
    assert all(len(line) <= 80 for line in said), said
    first = " ".join(said)
    assert "run as this user" in first and "not kept apart" in first and "signoff agent add" in first


def test_an_agent_of_its_own_asks_and_no_other_name_does(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    server.until_ready()
    added = server.signoff("agent", "add", "billing-bot")
    assert added.returncode == 0, added.stderr
    (tmp_path / "bot.env").write_text(added.stdout)
    ask = (
        "request",
        "refund.create",
        "--payload",
        "{}",
        "--reversible",
        "--env-file",
        str(tmp_path / "bot.env"),
    )
    assert server.signoff(*ask).returncode == 6
    other = server.signoff(*ask, SIGNOFF_AGENT="payroll-bot")
    assert other.returncode == 7 and "NoPermission" in other.stderr
    [one] = json.loads(server.signoff("pending", "--json").stdout)
    assert one["agent"] == "billing-bot"
    assert server.signoff("doctor").returncode == 0

    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    again = serve()
    again.until_ready()
    assert server.signoff(*ask).returncode == 6  # its user was kept
    assert server.signoff("agent", "remove", "billing-bot").returncode == 0
    assert server.signoff(*ask).returncode == 7


def test_only_the_intake_holds_the_admin_of_redis(running: Serving) -> None:
    kept = admin_url_file(Path(running.environment["SIGNOFF_DATA"]))
    password = credentials(kept.read_text().strip())[1].encode()
    held = {
        name for name, process_id in running.children().items()
        if name != "redis-server" and any(password in part for part in memory(process_id))
    }  # fmt: skip
    assert held == {"intake"}


def memory(process_id: int) -> Iterator[bytes]:
    """What a process may write to, as it is now."""
    with open(f"/proc/{process_id}/mem", "rb", 0) as file:
        for line in Path(f"/proc/{process_id}/maps").read_text().splitlines():
            where, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(number, 16) for number in where.split("-"))
                with suppress(OSError):
                    file.seek(start)
                    yield file.read(end - start)


def test_killed_by_sigkill_it_leaves_nothing_running_and_loses_nothing(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    server.until_ready()
    children = server.children()
    left, url = read_env_file(tmp_path / "data" / "agent.env"), admin_url_file(tmp_path / "data").read_text()
    with redis.Redis.from_url(url.strip()) as connection:
        connection.set("kept", "1")
    server.process.kill()
    server.wait()
    eventually(lambda: not any(alive(process_id) for process_id in children.values()))

    again = serve()
    again.until_ready()
    assert read_env_file(tmp_path / "data" / "agent.env") == left
    assert admin_url_file(tmp_path / "data").read_text() == url
    with redis.Redis.from_url(url.strip()) as connection:
        assert connection.get("kept") == b"1"


def test_what_dies_is_started_again(serve: Serve) -> None:
    server = serve()
    server.until_ready()
    before = server.children()
    for process_id in before.values():
        os.kill(process_id, signal.SIGKILL)

    def all_new() -> bool:
        now = server.children()
        return now.keys() == before.keys() and not {*now.values()} & {*before.values()}

    eventually(all_new, SECONDS)
    asked = server.signoff("request", "refund.create", "--payload", "{}", "--reversible")
    assert asked.returncode == 6
    assert "nobody has picked it up" not in asked.stderr


def test_a_second_one_for_the_same_data_is_refused(running: Serving) -> None:
    second = running.signoff("serve")
    assert second.returncode == 2
    assert f"process {running.process.pid}" in second.stderr and "SIGNOFF_DATA" in second.stderr
    assert running.process.poll() is None


@pytest.mark.parametrize(
    ("settings", "code", "what"),
    [
        ({"SIGNOFF_APPROVERS": None}, 2, "SIGNOFF_APPROVERS"),
        ({"SIGNOFF_APPROVERS": "@ana"}, 2, "SIGNOFF_APPROVERS"),
        ({"SIGNOFF_CHANNEL": None}, 2, "SIGNOFF_CHANNEL"),
        ({"SIGNOFF_ADMINS": "omar"}, 2, "SIGNOFF_ADMINS"),
        ({"SIGNOFF_AUDIT_WITNESS": "http://example.org"}, 2, "SIGNOFF_AUDIT_WITNESS"),
        ({"SLACK_BOT_TOKEN": None}, 2, "SLACK_BOT_TOKEN is not set"),
        ({"SLACK_BOT_TOKEN": "xoxb-wrong"}, 2, "invalid_auth"),
        ({"SLACK_APP_TOKEN": None}, 2, "SLACK_APP_TOKEN is not set"),
        ({"SLACK_APP_TOKEN": "xapp-wrong"}, 2, "invalid_auth"),
        ({"SIGNOFF_LOG_LEVEL": "LOUD"}, 2, "SIGNOFF_LOG_LEVEL"),
        ({"SIGNOFF_SIGNING_KEY": "nonsense"}, 2, "signing key"),
        ({"SIGNOFF_REDIS_URL": "redis://:secret@127.0.0.1:1"}, 7, "SIGNOFF_REDIS_URL"),
        ({"SIGNOFF_REDIS_URL": "nonsense"}, 2, "SIGNOFF_REDIS_URL"),
        ({"SIGNOFF_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"}, 1, "SIGNOFF_DATABASE_URL"),
        ({"SIGNOFF_DATABASE_URL": "nonsense"}, 2, "SIGNOFF_DATABASE_URL"),
    ],
)
def test_what_cannot_work_ends_at_once_with_one_line(
    serve: Serve, settings: dict[str, str | None], code: int, what: str
) -> None:
    server = serve(**settings)
    assert server.wait() == code, server.err
    assert server.out == ""
    assert server.err.count("\n") == 1 and server.err.startswith("signoff: ")
    assert what in server.err
    assert "secret" not in server.err and "wrong" not in server.err


def test_both_ways_to_reach_slack_are_one_too_many(serve: Serve) -> None:
    server = serve(SLACK_SIGNING_SECRET="8f742231b10e8888")
    assert server.wait() == 2 and server.err.count("\n") == 1
    assert "SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both set" in server.err
    assert "8f742231b10e8888" not in server.err


def test_it_uses_the_redis_that_it_is_given(serve: Serve, own_redis: RedisServer, tmp_path: Path) -> None:
    server = serve(SIGNOFF_REDIS_URL=own_redis.url)
    server.until_ready()
    assert server.children().keys() == {"bot", "intake", "worker", "web", "forker"}
    left = read_env_file(tmp_path / "data" / "agent.env")
    assert "SIGNOFF_REDIS_URL" not in left  # it is the server's own, and no agent's to have
    asked = server.signoff("request", "refund.create", "--payload", "{}", SIGNOFF_REDIS_URL="")
    assert asked.returncode == 2 and "signoff agent add" in asked.stderr


def modes(folder: Path) -> dict[str, int]:
    """Of the folder and all in it; a file that has gone meanwhile is left out."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        with suppress(FileNotFoundError):
            found[str(path.relative_to(folder))] = S_IMODE(path.stat().st_mode)
    return found


def test_what_it_keeps_is_private_whatever_the_umask_and_what_was_open_is_closed(
    serve: Serve, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        server = serve()
        server.until_ready()
        made = server.signoff("backup", str(tmp_path / "data" / "backup.db"))
        assert made.returncode == 0, made.stderr
    finally:
        os.umask(before)
    found = modes(tmp_path / "data")
    assert {
        "signoff.db",
        "signoff.db-wal",
        "signing.key",
        "redis.log",
        "serve.lock",
        "backup.db",
    } <= found.keys()
    assert any(name.startswith("redis/appendonlydir/") for name in found)
    assert set(found.values()) == {0o600, 0o700}
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    for name in ("signoff.db", "signing.key", "redis/appendonlydir", "."):
        path = tmp_path / "data" / name
        path.chmod(0o755 if path.is_dir() else 0o644)
    (tmp_path / "data" / "backup.db").unlink()
    again = serve()
    again.until_ready()
    assert set(modes(tmp_path / "data").values()) == {0o600, 0o700}
    assert f"others could read {tmp_path / 'data'} and 3 more: now only you can" in again.err


@pytest.mark.parametrize(("name", "mode"), [(".", 0o777), ("signing.key", 0o666), ("signoff.db", 0o660)])
def test_what_others_could_have_planted_ends_it_before_it_begins(
    serve: Serve, tmp_path: Path, name: str, mode: int
) -> None:
    for file in ("signing.key", "signoff.db"):
        write_private(tmp_path / "data" / file, "")
    (tmp_path / "data" / name).chmod(mode)
    for command in ("serve", "bot", "intake", "worker", "web"):
        ended = serve(command, SIGNOFF_REDIS_URL="redis://127.0.0.1:1")
        assert ended.wait() == 2
        assert ended.err.count("\n") == 1 and "others may write" in ended.err and "chmod" in ended.err


@pytest.mark.parametrize("role", ["bot", "intake", "worker", "web"])
def test_a_role_by_itself_wants_an_upgraded_database(serve: Serve, role: str, own_redis: RedisServer) -> None:
    assert serve("keys", "generate").wait() == 0
    alone = serve(role, SIGNOFF_REDIS_URL=own_redis.url)
    assert alone.wait() == 2
    assert "signoff db upgrade" in alone.err
    assert serve("db", "upgrade").wait() == 0
    alone = serve(role, SIGNOFF_REDIS_URL=own_redis.url, SIGNOFF_LOG_LEVEL="DEBUG")
    eventually(
        lambda: alone.process.poll() is not None or handles(alone.process.pid, signal.SIGTERM), SECONDS
    )
    alone.process.send_signal(signal.SIGTERM)
    assert alone.wait() == 0, alone.err


def test_where_nothing_can_be_forked_roles_are_spawned(serve: Serve) -> None:
    program = "serve._forker = nullcontext; raise SystemExit(main.main(['serve']))"
    server = serve(
        "-c", f"from contextlib import nullcontext; from signoff.cli import main, serve; {program}"
    )
    server.until_ready()
    children = server.children()
    assert children.keys() == {"bot", "intake", "worker", "web", "redis-server"}
    os.kill(children["intake"], signal.SIGKILL)
    eventually(lambda: server.children().get("intake", children["intake"]) != children["intake"], SECONDS)
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0, server.err


def test_a_role_that_finds_the_settings_wrong_ends_all(serve: Serve, slack: Sandbox, tmp_path: Path) -> None:
    server = serve()
    server.until_ready()
    (tmp_path / "data" / "signing.key").write_text("nonsense\n")
    os.kill(server.children()["intake"], signal.SIGKILL)
    assert server.wait() == 2
    assert "signing key" in server.err
    assert server.children() == {}
