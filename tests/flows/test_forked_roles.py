"""Roles are forked from one process that is single-threaded, has opened nothing and knows no secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flows.conftest import APPROVERS
from flows.road import ROLES, Road, alive
from support import ANY_PORT, eventually

from signoff.queue import acl
from signoff.server.own_redis import url_file

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="roles are forked on Linux only")

NEWS = """
import os, signal, sys, threading
from signoff.cli import forker, roles
forker.load()
forker.warm_up()
before = set(sys.modules)
roles._ready = lambda: threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
assert forker.LIVES[sys.argv[1]]() == 0
print("NEW", *sorted(set(sys.modules) - before))
"""
"""A role that stops a second after it is ready, and then says which modules it has loaded by itself."""


def memory(process_id: int) -> Iterator[bytes]:
    """All that a process can read and write, part by part."""
    with Path(f"/proc/{process_id}/mem").open("rb") as file:
        for line in Path(f"/proc/{process_id}/maps").read_text().splitlines():
            where, rights, *_ = line.split()
            if rights.startswith("rw"):
                start, end = (int(number, 16) for number in where.split("-"))
                with suppress(OSError):
                    file.seek(start)
                    yield file.read(end - start)


@pytest.fixture(scope="module")
def road(make_road: Callable[..., Road]) -> Road:
    """A server whose settings hold secrets that are found nowhere else."""
    made = make_road(ALL_PROXY="http://somebody:proxy-password-7c1@127.0.0.1:1", SIGNOFF_APPROVERS=APPROVERS)
    made.start()
    return made


def secrets(road: Road) -> list[str]:
    given = road.environment
    password = acl.credentials(url_file(road.data).read_text().strip())[1]
    key = (road.data / "signing.key").read_text().strip()
    slacks = [given["SLACK_BOT_TOKEN"], given.get("SLACK_APP_TOKEN") or given["SLACK_SIGNING_SECRET"]]
    return [*slacks, password, key, "proxy-password-7c1"]


def test_the_forker_has_one_thread_and_no_open_file(road: Road) -> None:
    forker = road.children()["forker"]
    assert len(os.listdir(f"/proc/{forker}/task")) == 1
    opened = {
        number: os.readlink(f"/proc/{forker}/fd/{number}") for number in os.listdir(f"/proc/{forker}/fd")
    }
    more = [what for number, what in opened.items() if int(number) > 2]
    assert [what.partition(":")[0] for what in more] == ["socket"], opened


def test_the_forker_knows_no_secret_and_a_role_shows_none(road: Road) -> None:
    children, looked_for = road.children(), [secret.encode() for secret in secrets(road)]
    for name in ("forker", *road.roles):
        shown = Path(f"/proc/{children[name]}/environ").read_bytes()
        assert not [secret for secret in looked_for if secret in shown], name
    assert any(looked_for[0] in part for part in memory(children[road.listener]))  # so that it would be found
    held = [secret for part in memory(children["forker"]) for secret in looked_for if secret in part]
    assert held == []


def test_a_forker_that_dies_takes_no_role_along_and_is_started_again(road: Road) -> None:
    before = road.children()
    road.kill("forker")
    eventually(lambda: road.children().get("forker", before["forker"]) != before["forker"], 60)
    after = road.children()
    assert {role: after[role] for role in road.roles} == {role: before[role] for role in road.roles}
    road.kill("intake")
    eventually(lambda: road.children().get("intake", before["intake"]) != before["intake"], 60)


def test_roles_and_forker_die_with_serve(make_road: Callable[..., Road]) -> None:
    road = make_road()
    road.start()
    children = road.children()
    road.stop(signal.SIGKILL)
    eventually(lambda: not [name for name, process_id in children.items() if alive(process_id)])


@pytest.mark.parametrize("role", ROLES)
def test_a_forked_role_has_nothing_left_to_load(road: Road, role: str) -> None:
    role = role if role in road.roles else road.listener
    own = {"SIGNOFF_REDIS_URL": url_file(road.data).read_text().strip()}
    run = subprocess.run(
        [sys.executable, "-c", NEWS, role],
        env=road.environment | ANY_PORT | own, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.split()[1:] == []
