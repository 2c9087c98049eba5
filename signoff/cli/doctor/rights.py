"""What Redis's users may do: nobody's `default`, the server's own, and each agent's, tried as that user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.retry import Retry

from signoff.cli.doctor import tries
from signoff.cli.doctor.patient import SECONDS, Fault, Patient, Skip
from signoff.errors import ConfigError, Unreachable
from signoff.queue import acl, private, stream
from signoff.queue.data_folder import agent_settings
from signoff.queue.users import Users

REFUSED = (
    "NOPERM", "no permissions", "ACL failure in script", "The user executing the script",
    "unknown command", "unknown subcommand", "command not allowed",
)  # fmt: skip
"""Words of replies that refuse, also at the end of a transaction or in a script. The last three: this version
has no such command, or lets nobody run it."""
GUIDE = "docs/operating.md, Redis, has its rules"
ROTATE = "`signoff agent rotate NAME` gives it one of its own"
ANEW = "make it anew: `ACL DELUSER {name}` as an admin of Redis, then `signoff agent add {name}`"
SHOWN = 5
"""So many of what goes through are named."""


def users(patient: Patient) -> str:
    """Nobody comes in without a password, and nobody may do more than the guide's rules say."""
    url = patient.redis_url
    if url is None:
        raise Skip("there is no Redis yet")
    _check_nobody(url)
    _check_server(url)
    try:
        agents = _check_agents(patient, url)
    except private.NotPrivate:  # `folder` says so
        raise
    except (ConfigError, Unreachable) as error:
        raise Fault(error.detail or str(error), "correct SIGNOFF_REDIS_ADMIN_URL") from None
    some = ", ".join(agents[:SHOWN]) + (", …" if len(agents) > SHOWN else "")
    return f"default is out; the server's and {len(agents)} agents' ({some}) may do no more than they need"


def _check_nobody(url: str) -> None:
    connection = _connection(acl.without_user(url))
    try:
        connection.send_command("PING")
        connection.read_response()
    except (AuthenticationError, NoPermissionError):
        return
    except (RedisError, OSError) as error:
        raise Fault(f"Redis cannot be tried: {type(error).__name__}", "look at its log") from None
    finally:
        connection.disconnect()
    raise Fault(
        "whoever reaches Redis is let in without a password (its user `default`), and could be any agent",
        f"switch it off, and give each its own user: {GUIDE}, and `signoff agent add` makes agents'",
    )


def _check_server(url: str) -> None:
    if found := _went_through(url, tries.of_server()):
        raise Fault(
            f"the server's Redis user {acl.credentials(url)[0]} may do what it never needs: {_named(found)}",
            f"give SIGNOFF_REDIS_URL a user of its own: {GUIDE}",
        )


def _check_agents(patient: Patient, url: str) -> list[str]:
    """The agents whose users were tried; raises Skip where there is none that could be."""
    admin = patient.admin_url
    if admin:
        apart = {acl.DEFAULT, acl.credentials(url)[0], acl.credentials(admin)[0]}
        keys = patient.redis.scan_iter(match=f"{stream.REQUESTS}*", count=5000, _type="stream")
        asking = {key.decode(errors="replace").removeprefix(stream.REQUESTS) for key in keys}
        with Users(admin) as made:
            everybody = [user for user in made.all() if user.name not in apart]
            found = [user for user in everybody if user.is_agent or user.name in asking]
            known = made.commands() if found else {}
            for agent in found:
                try:
                    _check_password(agent, made.all())
                    if agent.on:
                        with made.password(agent.name) as password:
                            _check_agent(acl.with_user(url, agent.name, password), agent.name)
                    _ask_redis(made, agent.name, known)
                except Fault as fault:
                    if not agent.is_agent:
                        fault.fix = ANEW.format(name=agent.name)
                    raise
            _check_reading(made)
            for user in everybody:
                if user not in found:
                    _check_other(made, user.name)
        if not found:
            raise Skip("no agent has a Redis user yet: `signoff agent add NAME` makes one")
        return [agent.name for agent in found]
    local = agent_settings(strict=False).get("SIGNOFF_REDIS_URL", "")
    if not local:
        raise Skip("agents' users cannot be tried without SIGNOFF_REDIS_ADMIN_URL")
    name = acl.credentials(local)[0]
    _check_agent(local, name)
    return [name]


def _check_reading(made: Users) -> None:
    """Redis may read its append-only file when it starts: see `acl.DEFAULT_RULES`."""
    if made.would_allow(acl.DEFAULT, [["SET", stream.decision(tries.NOBODY, tries.ID), "x"]]) != [True]:
        raise Fault(
            "Redis's user default has no rights: when Redis starts, it loses every transaction in its file",
            f"give it all rights, and leave it off: `user default {' '.join(acl.DEFAULT_RULES)}`",
        )


def _check_password(agent: acl.User, everybody: Iterable[acl.User]) -> None:
    """It has one, and nobody else has the same."""
    if agent.needs_none:
        raise Fault(f"whoever reaches Redis may log in as the agent {agent.name}, without a password", ROTATE)
    for other in everybody:
        if other.name != agent.name and set(other.hashes) & set(agent.hashes):
            raise Fault(f"the agent {agent.name} and the user {other.name} have one password", ROTATE)


def _check_other(made: Users, name: str) -> None:
    """A user of whom nobody has said what it is for: an admin of Redis, or not to write what agents ask."""
    ask, rule = made.would_allow(
        name, [["XADD", stream.requests(tries.NOBODY), "*", "v", "1"], ["ACL", "LIST"]]
    )
    if ask and not rule:
        raise Fault(
            f"Redis's user {name} is no agent's, and may ask as any of them",
            f"take `signoff:*` from its keys, or take it away: {GUIDE}",
        )


def _check_agent(url: str, agent: str) -> None:
    """Log in as an agent, and try what it may not do."""
    if found := _went_through(url, tries.of_agent(agent)):
        raise _too_much(agent, found)


def _ask_redis(made: Users, agent: str, known: dict[str, tuple[int, frozenset[str]]]) -> None:
    """Every command that this Redis has is one that an agent needs, or is denied."""
    allowed = acl.commands(acl.agent_rules(agent))
    parents = {name.partition("|")[0] for name in known if "|" in name}
    asked = [
        (name, _with_arguments(name, arity))
        for name, (arity, flags) in sorted(known.items())
        if name not in allowed and name not in parents and "no_auth" not in flags
    ]
    answers = made.would_allow(agent, [words for _, words in asked])
    if found := [words for (_, words), answer in zip(asked, answers, strict=True) if answer is not False]:
        raise _too_much(agent, found)
    needs = tries.needed(agent)
    if lacking := [
        words for words, answer in zip(needs, made.would_allow(agent, needs), strict=True) if not answer
    ]:
        raise Fault(
            f"agent {agent} may not do what it needs: {_named(lacking)}",
            f"`signoff agent on {agent}` gives its user today's rules",
        )


def _with_arguments(name: str, arity: int) -> list[str]:
    words = name.split("|")
    return words + [tries.NOBODY] * (abs(arity) - len(words))


def _went_through(url: str, tried: Iterable[list[str]]) -> list[list[str]]:
    """Those that a user of a URL is not refused; a connection may be of no more use after one."""
    found = []
    connection = _connection(url)
    try:
        for words in tried:
            if not _refused(connection, words):
                found.append(words)
                connection.disconnect()
    except (RedisError, OSError) as error:
        raise Fault(
            f"Redis's user {acl.credentials(url)[0]} cannot be tried: {type(error).__name__}",
            "look at its log",
        ) from None
    finally:
        connection.disconnect()
    return found


def _refused(connection: Any, words: list[str]) -> bool:
    try:
        connection.send_command(*words)
        connection.read_response()
    except NoPermissionError:
        return True
    except ResponseError as error:
        return any(part in str(error) for part in REFUSED)
    except redis.TimeoutError:  # it waits for something: it was let through
        return False
    return False


def _connection(url: str) -> Any:
    """A bare one, connected when it is first used: what a client would make of replies is not asked for."""
    return redis.ConnectionPool.from_url(
        url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=Retry(NoBackoff(), 0), protocol=2
    ).make_connection()


def _too_much(agent: str, found: list[list[str]]) -> Fault:
    return Fault(
        f"agent {agent} may do what it should not: {_named(found)}",
        f"`signoff agent on {agent}` gives its user today's rules",
    )


def _named(found: list[list[str]]) -> str:
    shown = ", ".join(" ".join(words) for words in found[:SHOWN])
    return shown + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
