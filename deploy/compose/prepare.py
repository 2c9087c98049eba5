"""What compose.yaml's services need to know of each other, made once: passwords, and files that hold them.

Runs before all else, as the service `prepare`, at every `docker compose up`; what is there stays, so it can
be run any number of times. Each volume is given to those services alone that are named here:

    data    server.env (Redis and PostgreSQL as the server's users), signing.key     all roles
    admin   redis.env (who may make users in Redis)                                  intake, cli
    owner   database.env (PostgreSQL as the tables' owner)                           upgrade
    redis   users.acl (hashes; what each may do is of this version)                  redis
    initdb  roles.sql and a password, for a database that is empty                   postgres

The server's PostgreSQL user owns nothing (docs/operating.md, PostgreSQL), and no role but the intake can make
users in Redis (the same, Redis).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import redis

from signoff.cli.init import HEAD, rewritten
from signoff.queue import acl
from signoff.queue.data_folder import read_env_file, write_private
from signoff.receipts import Signer

REDIS, DATABASE = "redis:6379/0", "postgres:5432/signoff"
OWNER, SERVER = "signoff_owner", "signoff_server"
REDIS_URL, ADMIN_URL, DATABASE_URL = "SIGNOFF_REDIS_URL", "SIGNOFF_REDIS_ADMIN_URL", "SIGNOFF_DATABASE_URL"
ROLES = """\
CREATE ROLE {owner} LOGIN PASSWORD '{owners}';
CREATE ROLE {server} LOGIN PASSWORD '{servers}';
CREATE DATABASE {database} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO {server};
"""


def kept(file: Path, name: str, new: str) -> str:
    """A setting in a file of ours; put there as `new` where there is none yet."""
    found = read_env_file(file) if file.exists() else {}
    if not found.get(name):
        text = file.read_text(encoding="utf-8") if file.exists() else HEAD
        write_private(file, rewritten(text, {name: new}))
        return new
    return found[name]


def readable(file: Path, text: str) -> None:
    """For a service that runs as somebody else; no other has the volume."""
    if not file.exists():
        write_private(file, text)
        file.chmod(0o644)


def redis_users(data: Path, admin: Path, folder: Path) -> None:
    """The URLs of the server's user and the admin's, and Redis's file of users; agents in it stay."""
    urls = {
        acl.SERVER: kept(data / "server.env", REDIS_URL, _redis(acl.SERVER)),
        acl.ADMIN: kept(admin / "redis.env", ADMIN_URL, _redis(acl.ADMIN)),
    }
    file = folder / "users.acl"
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    now = acl.file({name: acl.credentials(url)[1] for name, url in urls.items()}, before)
    if now == before:
        return
    write_private(file, now)
    with (
        suppress(redis.RedisError),
        redis.Redis.from_url(urls[acl.ADMIN], socket_connect_timeout=2) as running,
    ):
        running.acl_load()  # an update, while Redis runs: today's rules count at once


def database_users(data: Path, owner: Path, initdb: Path) -> None:
    """The URLs of the server's role and the owner's, and what makes both in an empty PostgreSQL."""
    of_server = kept(data / "server.env", DATABASE_URL, _database(SERVER))
    of_owner = kept(owner / "database.env", DATABASE_URL, _database(OWNER))
    passwords = {"owners": _password(of_owner), "servers": _password(of_server)}
    named = {"owner": OWNER, "server": SERVER, "database": DATABASE.rpartition("/")[2]}
    readable(initdb / "roles.sql", ROLES.format(**named, **passwords))
    readable(initdb / "superuser.password", acl.new_password() + "\n")


def prepare(data: Path, admin: Path, owner: Path, folder: Path, initdb: Path) -> None:
    """All of it. Raises ConfigError or OSError where a volume cannot be used."""
    redis_users(data, admin, folder)
    database_users(data, owner, initdb)
    if not (data / "signing.key").exists():
        write_private(data / "signing.key", Signer.generate().private_text() + "\n")


def _redis(user: str) -> str:
    return acl.with_user(f"redis://{REDIS}", user, acl.new_password())


def _database(role: str) -> str:
    return f"postgresql://{role}:{acl.new_password()}@{DATABASE}"


def _password(url: str) -> str:
    return acl.credentials(url)[1]


if __name__ == "__main__":
    root = Path("/srv")
    prepare(Path(os.environ["SIGNOFF_DATA"]), root / "admin", root / "owner", root / "redis", root / "initdb")
    print("prepared: users and passwords of Redis and PostgreSQL, and the signing key", file=sys.stderr)
