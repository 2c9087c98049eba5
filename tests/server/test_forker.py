"""Who forks roles, from the side of `serve`; and what of its environment it hands on."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import eventually

from signoff.server import environment, processes
from signoff.server.forker import Forker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="roles are forked on Linux only")


@pytest.fixture
def adopting() -> Iterator[None]:
    """Orphans become children of the tests' process, for as long as a test runs."""
    processes.adopt()
    yield
    ctypes.CDLL(None).prctl(processes.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def forker(adopting: None) -> Iterator[Forker]:
    found = Forker(processes.python("signoff.cli.forker"))
    found.begin()
    eventually(lambda: found.listen() or found.ready, 60)
    yield found
    found.close()


def test_what_is_forked_is_this_processs_child_with_its_own_end(forker: Forker) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = forker.fork("prepare", {"PATH": "/bin"}, theirs.fileno())
        assert int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
        assert child.wait(30) == 2  # nobody may decide: it has no setting at all


def test_a_forker_that_is_away_raises_and_starts_again(forker: Forker) -> None:
    os.kill(forker.pid, signal.SIGKILL)
    before = forker.pid
    with pytest.raises(OSError):
        forker.fork("prepare", {}, 0)
    eventually(lambda: forker.keep() or (forker.ready and forker.pid != before), 60)


def test_an_orphan_of_a_child_is_buried(adopting: None) -> None:
    program = "import os; print(os.fork(), flush=True)"
    made = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    orphan = max(int(line) for line in made.stdout.split())
    eventually(lambda: processes.bury(set()) or not Path(f"/proc/{orphan}").exists())


def test_a_role_gets_listed_names_only() -> None:
    given = {
        "PATH": "/bin", "LC_ALL": "C", "SLACK_BOT_TOKEN": "xoxb-1", "SIGNOFF_CRASH_AT": "end.written:1",
        "SIGNOFF_FREEZE_AT": "end.written:1", "SIGNOFF_REDIS_ADMIN_URL": "redis://a:b@c",
        "https_proxy": "http://a:b@c", "NO_PROXY": "*", "PGPASSWORD": "secret", "AWS_SECRET_ACCESS_KEY": "no",
        "BASH_ENV": "no", "PYTHONSTARTUP": "/no", "PYTHONBREAKPOINT": "no", "SLACK_CLIENT_SECRET": "no",
        "SIGNOFF_ELSE": "no", "SSL_CERT_FILE": "/certs", "PYTHONPATH": "/source",
    }  # fmt: skip
    assert given.keys() - environment.for_role(given).keys() == {
        "AWS_SECRET_ACCESS_KEY", "BASH_ENV", "PYTHONSTARTUP", "PYTHONBREAKPOINT", "SLACK_CLIENT_SECRET",
        "SIGNOFF_ELSE",
    }  # fmt: skip
    for role in ("bot", "intake", "worker", "web"):
        kept = environment.of(role, environment.for_role(given))
        assert ("SIGNOFF_REDIS_ADMIN_URL" in kept) == (role == "intake")
    assert environment.plain(given).keys() == {"PATH", "LC_ALL", "SSL_CERT_FILE", "PYTHONPATH"}
    assert environment.system(given).keys() == {"PATH", "LC_ALL"}


@pytest.mark.parametrize("name", sorted(environment.PLACES - {"LD_PRELOAD"}))
def test_what_depends_on_the_current_folder_is_not_handed_on(name: str) -> None:
    for value in ("", ".", "lib", "./lib", "../lib", ":", f".{os.pathsep}lib"):
        assert name not in environment.for_role({name: value})
    given = {name: os.pathsep.join(["", "/one", ".", "/two", "x/y", ""])}
    assert environment.for_role(given) == {name: f"/one{os.pathsep}/two"}


def test_a_library_that_is_preloaded_may_be_one_of_the_systems() -> None:
    given = {"LD_PRELOAD": "libjemalloc.so.2 ./evil.so:/opt/lib/a.so evil/b.so"}
    assert environment.plain(given) == {"LD_PRELOAD": "libjemalloc.so.2:/opt/lib/a.so"}


def test_who_watches_the_roles_loads_nothing_but_the_standard_library_and_one_small_one() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "from signoff.cli import main\n"
        "from signoff.server import forker, plain_logs, supervisor\n"  # as `serve` does
        "from signoff.server.own_redis import EmbeddedRedis\n"
        "from signoff.server.signals import Signals\n"
        "print(*{name.partition('.')[0] for name in sys.modules.keys() - before})"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(said.stdout.split())
    assert loaded - sys.stdlib_module_names == {"signoff", "rfc8785"}
    assert not loaded & {"asyncio", "ssl", "sqlite3", "http", "email", "concurrent", "multiprocessing"}


def test_what_roles_are_forked_from_loads_nothing_to_draw_tracebacks_with() -> None:
    program = (
        "import sys\nfrom signoff.cli import forker\nforker.load()\nforker.warm_up()\nimport os, threading\n"
        "print('rich' in sys.modules, threading.active_count(), 'SLACK_BOT_TOKEN' in os.environ)\n"
        "import rich"
    )
    environment = {name: value for name, value in os.environ.items() if name != "SLACK_BOT_TOKEN"}
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert said.stdout.split() == ["False", "1", "False"]
