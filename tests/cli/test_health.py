"""`signoff health`: for what starts containers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import redis
from support import RedisServer, beating

from signoff.cli.main import main
from signoff.queue import acl
from signoff.server import pulse

Said = tuple[int, str, str]


@pytest.fixture
def users(own_redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A Redis with the server's user; nothing else that `signoff health` could want."""
    urls = own_redis.give_users("billing-bot")
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SIGNOFF_REDIS_URL", urls[acl.SERVER])
    return urls


def test_a_container_is_told_whether_its_roles_live(
    users: dict[str, str], own_redis: RedisServer, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def health(*roles: str) -> Said:
        code = main(["health", *roles])
        said = capsys.readouterr()
        return code, said.out, said.err

    assert health() == (1, "✗ no role runs here\n", "")
    with beating(users[acl.SERVER], "bot", "worker"):
        assert [health("bot")[0], health("bot", "worker")[0], health()[0]] == [0, 0, 0]
        assert re.fullmatch(r"✓ bot: heard of \d+ s ago\n✓ worker: heard of \d+ s ago\n", health()[1])
        code, said, _ = health("intake", "bot")
        assert code == 1 and said.startswith("✗ intake: does not run here\n✓ bot")
        # Of another machine, or an agent that calls itself so: not ours.
        monkeypatch.setattr("signoff.cli.health._host", lambda client: str(client.get("id")))
        assert health("bot")[0] == 1
        monkeypatch.undo()
        monkeypatch.setenv("SIGNOFF_REDIS_URL", users[acl.SERVER])
        with redis.Redis.from_url(users["billing-bot"], client_name=f"{pulse.NAME}intake") as agent:
            agent.ping()
            assert health("intake")[0] == 1
        monkeypatch.setattr(pulse, "SILENT_SECONDS", -1)
        assert health("bot")[0] == 1
    code, _, said = health("door")
    assert code == 2 and "bot, intake, worker" in said
    own_redis.stop(kill=True)
    code, _, said = health("bot")
    assert code == 7 and "Redis" in said and users[acl.SERVER] not in said
