"""Agents' users in Redis: made, changed, switched off and taken away, with an admin's rights.

The server's own user cannot do any of this. Who holds SIGNOFF_REDIS_ADMIN_URL: `signoff agent` while it runs,
`signoff doctor`, and the intake, which has an agent that floods it switched off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from signoff.errors import ConfigError, Unreachable
from signoff.models.messages import AGENT
from signoff.queue import acl

SECONDS = 5.0
"""How long one command may take."""
NOT_KEPT = "This Redis forgets it when it restarts"


@dataclass(frozen=True)
class AgentUser:
    """An agent's user: whether it may log in, and how many connections it has now."""

    name: str
    on: bool
    connections: int


class Users:
    """All agents' users of one Redis. Methods raise Unreachable, or ConfigError saying what is wrong."""

    def __init__(self, url: str) -> None:
        try:
            self._redis = redis.Redis.from_url(
                url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, protocol=2,
                decode_responses=True,
                encoding_errors="replace",  # a user's name may be any bytes
            )  # fmt: skip
        except ValueError:
            raise ConfigError(
                "SIGNOFF_REDIS_ADMIN_URL is no URL, such as redis://admin:…@host:6379/0."
            ) from None

    def __enter__(self) -> Users:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        self._redis.close()

    def add(self, agent: str) -> str:
        """Make an agent's user → its password, which nothing keeps. Raises ConfigError for a name in use."""
        if not AGENT.fullmatch(agent):
            raise ConfigError(f"The agent's name {agent!r} may hold a-z, 0-9 and -, at most 40 characters.")
        if agent in acl.RESERVED:
            raise ConfigError(f"No agent can be called {agent}: that user is Signoff's or Redis's own.")
        with _translated():
            known = self._find(agent)
            if known is not None:
                more = "rotate` gives it a new password" if known.is_agent else "list` shows who is an agent"
                raise ConfigError(f"Redis has a user {agent} already: `signoff agent {more}.")
            password = acl.new_password()
            self._set(agent, acl.hashed(password))
            return password

    def rotate(self, agent: str) -> str:
        """Give an agent a new password, today's rules, and the right to log in → the password.

        The old one is worthless at once, and its connections end.
        """
        with _translated():
            self._known(agent)
            password = acl.new_password()
            self._set(agent, acl.hashed(password))
            self._kill(agent)
            return password

    def remove(self, agent: str) -> None:
        """Take an agent's user away, and end its connections."""
        with _translated():
            self._known(agent)
            self._call("ACL DELUSER", agent)
            self._kill(agent)

    def switch_off(self, agent: str) -> int | None:
        """Keep an agent out until it is switched on again → how many of its connections were ended.

        None, and nothing is done, where no user is that agent's own: whoever else writes its stream (a user
        that others share, the server's own) must not be locked out by what stands there.
        """
        with _translated():
            known = self._find(agent)
            if known is None or not known.is_agent:
                return None
            # First off, then out: what was thrown out must not come in again in between.
            self._call("ACL SETUSER", agent, "off")
            ended = self._kill(agent)
            with suppress(
                ResponseError
            ):  # without an aclfile a restart lets it in again, and it floods again
                self._call("ACL SAVE")
            return ended

    def switch_on(self, agent: str) -> None:
        """Let it in (again), with the password that it has and with today's rules."""
        with _translated():
            self._set(agent, *self._known(agent).hashes)

    def all(self) -> list[acl.User]:
        """Every user that Redis has."""
        with _translated():
            lines: Any = self._call("ACL LIST")
        return [user for user in map(acl.read, lines) if user]

    def agents(self) -> list[AgentUser]:
        """All agents' users, by name."""
        with _translated():
            found = [user for user in self.all() if user.is_agent]
            clients: Any = self._redis.client_list()
        count = Counter(str(client.get("user")) for client in clients)
        return [AgentUser(user.name, user.on, count[user.name]) for user in sorted(found, key=_name)]

    def save(self) -> str | None:
        """Have Redis keep its users over a restart; why it does not, and what to do then, else None."""
        with _translated():
            try:
                self._call("ACL SAVE")
            except ResponseError as error:
                return _advice(str(error))
        return None

    @contextmanager
    def password(self, name: str) -> Iterator[str]:
        """One more password of a user's that holds inside the `with`: to try what that user may do."""
        password = acl.new_password()
        added = acl.hashed(password)
        with _translated():
            self._call("ACL SETUSER", name, added)
        try:
            yield password
        finally:
            with suppress(RedisError, OSError):
                self._call("ACL SETUSER", name, f"!{added[1:]}")

    def would_allow(self, user: str, tries: list[list[str]]) -> list[bool | None]:
        """What Redis itself says it would let a user do, of each command with its arguments. Nothing is done.

        None where it does not say, since it does not know the command in that form.
        """
        with _translated():
            pipe = self._redis.pipeline(transaction=False)
            for words in tries:
                pipe.execute_command("ACL DRYRUN", user, *words)  # type: ignore[no-untyped-call]
            answers = pipe.execute(raise_on_error=False)
        return [None if isinstance(answer, Exception) else answer == "OK" for answer in answers]

    def commands(self) -> dict[str, tuple[int, frozenset[str]]]:
        """Every command that this Redis has, subcommands as `config|get` → its arity, and its flags."""
        with _translated():
            connection = self._redis.connection_pool.get_connection()
            try:
                connection.send_command("COMMAND")  # type: ignore[no-untyped-call]
                return dict(_flat(connection.read_response()))
            finally:
                self._redis.connection_pool.release(connection)

    def _call(self, *words: str) -> Any:
        return self._redis.execute_command(*words)  # type: ignore[no-untyped-call]

    def _set(self, agent: str, *hashes: str) -> None:
        self._call("ACL SETUSER", agent, "reset", "on", *hashes, *acl.agent_rules(agent))

    def _kill(self, agent: str) -> int:
        try:
            return int(self._call("CLIENT KILL", "USER", agent))
        except ResponseError as error:
            if "No such user" in str(error):  # ACL DELUSER has ended its connections
                return 0
            raise

    def _find(self, name: str) -> acl.User | None:
        return next((user for user in self.all() if user.name == name), None)

    def _known(self, agent: str) -> acl.User:
        user = self._find(agent)
        if user is None or not user.is_agent:
            raise ConfigError(f"Redis has no user of an agent {agent}: `signoff agent list` shows all.")
        return user


def _flat(found: Any) -> Iterator[tuple[str, tuple[int, frozenset[str]]]]:
    for command in found:
        yield str(command[0]), (int(command[1]), frozenset(map(str, command[2])))
        if len(command) > 9:
            yield from _flat(command[9])


def _name(user: acl.User) -> str:
    return user.name


def _advice(said: str) -> str:
    if "not configured to use an ACL file" in said:
        return (
            f"{NOT_KEPT}: it has no aclfile. Put `aclfile /etc/redis/users.acl` into redis.conf, write what "
            "`ACL LIST` prints into that file, a user a line, and restart it; then `ACL SAVE` works. Where "
            "users stand in redis.conf itself, run `CONFIG REWRITE` now."
        )
    return (
        f"{NOT_KEPT}: ACL SAVE failed ({said.rstrip('.')}). Redis has to be allowed to write its aclfile and "
        "the folder that it lies in; its log says more. Then run `ACL SAVE`."
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (redis.AuthenticationError, NoPermissionError) as error:
        raise ConfigError(
            f"The user of SIGNOFF_REDIS_ADMIN_URL may not do this ({str(error).rstrip('.')}): it has to be "
            "allowed ACL and CLIENT, as `signoff-admin` in docs/operating.md is."
        ) from None
    except ResponseError as error:
        raise ConfigError(
            f"Redis refuses ({str(error).rstrip('.')}): Redis 7 or later, or Valkey, has to let its users be "
            "managed by ACL. Where a provider does that by other means, docs/operating.md has the rules."
        ) from None
    except (RedisError, OSError) as error:
        raise Unreachable(
            f"{type(error).__name__}. Check SIGNOFF_REDIS_ADMIN_URL and that Redis runs."
        ) from None
