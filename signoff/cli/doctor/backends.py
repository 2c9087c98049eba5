"""Redis and the database: there, fit for it, of one time, and without a backlog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from redis.exceptions import AuthenticationError, RedisError
from sqlalchemy import exc

from signoff.cli.doctor.patient import Fault, Note, Patient, Skip
from signoff.errors import ConfigError
from signoff.models import migrate, roles
from signoff.models.store import MICROSECONDS
from signoff.queue.acl import credentials
from signoff.queue.requests import Stream
from signoff.queue.stream import DEAD, requests
from signoff.queue.wakeups import QUEUE
from signoff.server.own_redis import OLDEST, find_binary
from signoff.server.pulse import ROLES, SILENT_SECONDS, heard

SKEW_SECONDS = 5.0
"""How far clocks may be apart. A receipt's time is checked by another machine than the one that signed it."""
BACKLOG = 100
"""So many that wait are a backlog, however young."""
BACKLOG_SECONDS = 60.0
"""Intake takes a request within a second: one that is this old, nobody takes."""
START = "start `signoff serve`"


def redis_server(patient: Patient) -> str:
    """It answers, is new enough, and throws nothing away."""
    if patient.redis_url is None:
        return _none_yet()
    own = not patient.settings.redis_url
    try:
        server, memory = patient.redis.info("server"), patient.redis.info("memory")
    except ValueError:
        raise Fault("SIGNOFF_REDIS_URL is no URL", "write it as redis://:password@host:6379/0") from None
    except AuthenticationError:
        raise Fault("Redis does not take the password", "correct the one in SIGNOFF_REDIS_URL") from None
    except (RedisError, OSError) as error:
        where = "Signoff's own Redis" if own else "the Redis of SIGNOFF_REDIS_URL"
        fix = START if own else "start it, or correct SIGNOFF_REDIS_URL"
        raise Fault(f"{where} does not answer: {type(error).__name__}", fix) from None
    return _fit(server, memory)


def _fit(server: dict[str, object], memory: dict[str, object]) -> str:
    # Valkey calls itself Redis 7.2 for the sake of old clients, and names its own version beside.
    version = str(server.get("valkey_version") or server.get("redis_version") or "0")
    if int(version.split(".")[0]) < OLDEST:
        raise Fault(f"Redis is {version}", f"update it to {OLDEST} or later")
    policy = memory.get("maxmemory_policy")
    if policy != "noeviction":
        raise Fault(
            f"when its memory is full, Redis throws requests and answers away (maxmemory-policy {policy})",
            "set maxmemory-policy to noeviction",
        )
    return f"version {version}, {memory.get('used_memory_human')} used, noeviction"


def _none_yet() -> str:
    try:
        return f"`signoff serve` will start its own ({find_binary()[1]})"
    except ConfigError as error:
        raise Fault("there is no Redis", error.detail) from None


def database(patient: Patient) -> str:
    """It answers, and has the tables of this version."""
    url, fix = patient.settings.database, "run `signoff db upgrade`; `signoff serve` does so, too"
    file = url.removeprefix("sqlite:///")
    if file != url and not Path(file).exists():  # connecting would create it
        raise Fault(f"there is no database at {file} yet", fix)
    try:
        version = migrate.current(patient.engine)
    except exc.ArgumentError:
        raise Fault("SIGNOFF_DATABASE_URL is no URL", "write it as postgresql://user@host/name") from None
    except (exc.DBAPIError, exc.TimeoutError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise Fault(
            f"the database does not answer: {kind}", "start it, or correct SIGNOFF_DATABASE_URL"
        ) from None
    if version != migrate.LATEST:
        raise Fault(f"its tables are of version {version or 'none'}, not {migrate.LATEST}", fix)
    return f"{patient.engine.dialect.name}, tables of version {version}{_role(patient)}"


def _role(patient: Patient) -> str:
    """Which role runs, and what it could do to the audit log."""
    with patient.store.reading() as connection:
        found = roles.state(connection)
    if found is None:
        return "; whoever can write the file could rewrite the audit log: keep its heads elsewhere"
    if found.owns:
        return (
            f"; runs as {found.role}, which owns the audit log and could rewrite it: "
            "see `signoff db upgrade --for ROLE`"
        )
    if found.may_change:
        raise Fault(
            f"the server's role {found.role} was given more than reading and adding to the audit log",
            f"as its owner, {found.owner}: `signoff db upgrade --for {found.role}`",
        )
    return f"; runs as {found.role}, which does not own the audit log ({found.owner} does)"


def clock(patient: Patient) -> str:
    """This machine, the database and Redis agree on the time."""
    here = patient.clock()
    times = {"the database": patient.store.clock() / MICROSECONDS}
    if patient.redis_url is not None:
        seconds, micros = patient.redis.time()
        times["Redis"] = seconds + micros / MICROSECONDS
    for who, time in times.items():
        ahead = time - here
        if abs(ahead) > SKEW_SECONDS:
            word = "ahead of" if ahead > 0 else "behind"
            raise Fault(
                f"{who} is {abs(ahead):.0f} s {word} this machine", "have all machines keep time by NTP"
            )
    return f"{' and '.join(times)} within {max(abs(time - here) for time in times.values()):.1f} s"


def roles_alive(patient: Patient) -> str:
    """The bot, the intake and the worker run, all three, or none: then nobody has started them.

    The web need not run, but where Slack calls it: then there is no bot.
    """
    if patient.redis_url is None:
        raise Skip("there is no Redis yet")
    alive = heard(patient.redis.client_list(), credentials(patient.redis_url)[0])
    spared = "bot" if patient.settings.signing_secret else "web"
    needed = [role for role in ROLES if role != spared]
    missing = [role for role in needed if role not in alive]
    if len(missing) == len(needed):
        raise Skip("none runs: `signoff serve` starts them")
    if missing:
        they = f"{' and '.join(alive)} run{'s' if len(alive) == 1 else ''}, {' and '.join(missing)} not"
        raise Fault(
            they, f"start {' and '.join(f'`signoff {role}`' for role in missing)}, or `signoff serve`"
        )
    still = [role for role, seconds in alive.items() if seconds > SILENT_SECONDS]
    if still:
        raise Fault(
            f"{' and '.join(still)} stand{'s' if len(still) == 1 else ''} still: not heard of for "
            f"{max(alive.values()):.0f} s",
            "its log may say why; start it again",
        )
    return f"{', '.join(alive)} run; heard of within {max(alive.values()):.0f} s"


def queues(patient: Patient) -> str:
    """What agents have sent is taken, and jobs are done; dead letters are told of."""
    if patient.redis_url is None:
        raise Skip("there is no Redis yet")
    dead = int(patient.redis.xlen(DEAD))
    waiting, oldest = _waiting(patient)
    jobs = int(patient.redis.llen(f"rq:queue:{QUEUE}"))
    if waiting and (oldest > BACKLOG_SECONDS or waiting > BACKLOG):
        raise Fault(
            f"{waiting} requests wait to be read, the oldest for {oldest:.0f} s",
            f"{START} or `signoff intake`; where it runs, its log says why it does not read",
        )
    if jobs > BACKLOG:
        fix = f"{START} or `signoff worker`; where it runs, its log says why they are not done"
        raise Fault(f"{jobs} jobs wait to be done", fix)
    age = f", the oldest for {oldest:.0f} s" if waiting else ""
    found = f"{waiting} requests wait to be read{age}; {jobs} jobs"
    if dead:
        raise Note(
            f"{found}; {dead} dead letters: entries that could not be processed; their agents were told so",
            f"read why with `redis-cli XREVRANGE {DEAD} + - COUNT 5`, then clear them with "
            f"`redis-cli DEL {DEAD}`",
        )
    return f"{found}; no dead letters"


def _waiting(patient: Patient) -> tuple[int, float]:
    """Entries on all agents' streams, and the seconds that the oldest has been there."""
    seconds, micros = patient.redis.time()
    now = seconds + micros / MICROSECONDS
    count, oldest = 0, 0.0
    for agent in Stream(patient.redis, "doctor").agents():
        count += int(patient.redis.xlen(requests(agent)))
        first: Any = patient.redis.xrange(requests(agent), count=1)
        for entry_id, _ in first or ():
            oldest = max(oldest, now - int(entry_id.split(b"-")[0]) / 1000)
    return count, oldest
