"""The statement of what is stopped: signed by the server, numbered, and believed while it is young.

Whoever is about to run something looks at the newest that they can get, and runs nothing by one that is
older than `fresh` seconds, or than one that they have seen before. See docs/executor.md.
"""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from signoff.errors import ConfigError, NotVerified, Stopped
from signoff.models.identity import process_name
from signoff.models.receipt import DEPLOYMENT, Receipt
from signoff.models.stops import MOST_STOPS, STOPS_KEY, Stop, Stopping
from signoff.signatures import STOPS, Signer, VerifyKeys, open_sealed, verify_keys

FRESH_SECONDS = 30
"""How old a statement may be, where nothing else is said."""
LONGEST_FRESH = 3600
LOOK_SECONDS = 1.0
"""A newer statement is looked for no more often than that."""
TELL_SECONDS = 20.0
"""And the server is told so often that this guard still heeds it."""
SECONDS = 5.0
"""How long an answer may take."""
MAX_ANSWER = 1024 * 1024
SUBJECT = "stops"
log = logging.getLogger("signoff")


@dataclass(frozen=True)
class Statement:
    """What is stopped, as a server has said `at` (seconds since 1970). Of two the larger `number` is newer.

    `stops` are those that void anything that was approved and could still run.
    """

    issuer: str
    number: int
    at: int
    stops: tuple[Stopping, ...]
    token: str

    def why(self, receipt: Receipt) -> str:
        """Why a receipt lets nothing run, in a few words; empty where nothing stands in its way."""
        undo = receipt.undoes is not None
        for stop in self.stops:
            if stop.voids(receipt.agent, receipt.action, receipt.issued_at, undo=undo):
                return stop.said if stop.until is None else f"{stop.said} before it ran: ask again"
        return ""


def sign(signer: Signer, issuer: str, number: int, stops: Iterable[Stop], at: int) -> str:
    """What is stopped → the JWT. `at` is now, in seconds since 1970."""
    claims = {
        "iss": issuer,
        "sub": SUBJECT,
        "iat": at,
        "number": number,
        "stops": [one.claims() for one in merged(stops)],
    }
    return signer.seal(STOPS, claims)


def merged(stops: Iterable[Stop]) -> list[Stopping]:
    """Those stops, one for each thing that is stopped: one that stands, else the one that voids most."""
    found: dict[tuple[str, str, bool], Stopping] = {}
    for one in map(Stopping.of, stops):
        key = (one.kind, one.name, one.undos)
        before = found.get(key)
        if before is None or one.until is None or (before.until is not None and before.until < one.until):
            found[key] = one
    return list(found.values())


def verify(token: str, keys: VerifyKeys, *, issuer: str = DEPLOYMENT) -> Statement:
    """A signed statement → what it says; raises NotVerified. How old it is, is for `check_fresh`."""
    required = ("iss", "sub", "iat", "number", "stops")
    claims = open_sealed(token, keys, STOPS, issuer=issuer, required=required)
    number, said = claims["number"], claims["stops"]
    if claims["sub"] != SUBJECT or type(number) is not int or number < 0 or not isinstance(said, list):
        raise NotVerified("Its claims are no statement's of what is stopped.")
    try:
        stops = tuple(Stopping.read(one) for one in said)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotVerified(f"{type(error).__name__}: its claims are no statement's.") from None
    return Statement(claims["iss"], number, claims["iat"], stops, token)


def check_fresh(statement: Statement, fresh: float, highest: int, now: float | None = None) -> None:
    """Raise Stopped for a statement that is too old, or older than one that was seen before (`highest`).

    `now` is this machine's time (seconds since 1970); its clock may be `fresh` seconds behind the server's.
    """
    age = (time.time() if now is None else now) - statement.at
    if age > fresh:
        raise Stopped(
            f"What is stopped was last heard {age:.0f} s ago, and {fresh:g} s are allowed: see that the "
            "server can be reached, and that the clocks of both agree."
        )
    if age < -fresh:
        raise Stopped(f"The server's clock is {-age:.0f} s ahead of this machine's: set them by NTP.")
    if statement.number < highest:
        raise Stopped(
            f"This word of what is stopped (number {statement.number}) is older than one seen before "
            f"({highest})."
        )


class Source(Protocol):
    """Where the newest statement is got: over HTTP, from Redis, or from wherever somebody puts it."""

    def statement(self) -> str:
        """The token of it. Whatever it raises counts as: nobody can tell."""

    def seen(self, number: int, fresh: float) -> None:
        """Say to the server that this number is heeded, where that can be said. What it raises is nothing."""


class HttpStops:
    """Asks `GET /v1/stops` of the server at `url`, by a token; and tells it which number is heeded.

    `guard` names this guard to people: what is void is confirmed by what it says.
    """

    def __init__(self, url: str, token: str, *, guard: str = "") -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._guard = guard or process_name()

    def statement(self) -> str:
        """See Source."""
        found = json.loads(self._call("GET", "/v1/stops"))
        return str(found["token"])

    def seen(self, number: int, fresh: float) -> None:
        """See Source."""
        said = {"guard": self._guard, "number": number, "fresh": math.ceil(fresh)}
        self._call("PUT", "/v1/stops/seen", json.dumps(said).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        from urllib.request import HTTPRedirectHandler, Request, build_opener

        class Stays(HTTPRedirectHandler):
            """Follows nobody elsewhere: the token is for this server."""

            def redirect_request(self, *_: object) -> None:
                return None

        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = Request(self._url + path, body, headers, method=method)
        with build_opener(Stays).open(request, timeout=SECONDS) as answer:
            found: bytes = answer.read(MAX_ANSWER)
        return found


class RedisStops:
    """Reads what the server puts into its Redis. Nobody hears there which number a guard heeds."""

    def __init__(self, url: str) -> None:
        self._url = url

    def statement(self) -> str:
        """See Source."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        link = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "retry": Retry(NoBackoff(), 0)}
        with redis.Redis.from_url(self._url, **link) as client:
            found = client.get(STOPS_KEY)
        if not isinstance(found, bytes):
            raise ConnectionError("Redis has no word of what is stopped")
        return found.decode()

    def seen(self, number: int, fresh: float) -> None:
        """See Source: nobody is told."""


def open_source(where: str, token: str = "", *, guard: str = "") -> Source:
    """Where statements are → what gets them: `https://…` (by a token), `redis://…`. Raises ConfigError."""
    scheme, parted, _ = where.partition("://")
    if scheme in ("http", "https") and parted:
        if not token:
            raise ConfigError(
                "A guard that asks the server what is stopped needs a token: stops_token='sgt_…'."
            )
        return HttpStops(where, token, guard=guard)
    if scheme in ("redis", "rediss", "unix") and parted:
        return RedisStops(where)
    raise ConfigError(
        f"stops={where[:60]!r} is no URL of the server (https://…) or of its Redis (redis://…)."
    )


class Heed:
    """Looks at the newest statement before anything runs, and remembers the highest number.

    `highest` notes a number of an issuer's and gives the highest noted, in what outlasts this process; it may
    raise OSError. One of these serves any number of threads.
    """

    def __init__(
        self,
        source: Source,
        keys: VerifyKeys,
        issuer: str,
        fresh: float,
        highest: Callable[[str, int], int] | None = None,
    ) -> None:
        if not 1 <= fresh <= LONGEST_FRESH:
            raise ConfigError(f"fresh={fresh:g}: 1 to {LONGEST_FRESH} seconds, please.")
        self._source, self._keys, self._issuer, self._fresh = source, keys, issuer, fresh
        self._noted = highest
        self._highest = 0
        self._kept: Statement | None = None
        self._looked = self._told = -math.inf
        self._told_number = -1
        self._lock = threading.Lock()

    def check(self, receipt: Receipt) -> None:
        """Raise Stopped where this receipt lets nothing run, or where nobody can tell; OSError passes."""
        if why := self.newest().why(receipt):
            raise Stopped(f"{why[:1].upper()}{why[1:]}.", receipt)

    def newest(self) -> Statement:
        """The newest statement, young enough; raises Stopped, and OSError (what remembers is away)."""
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._look()
            highest = self._remembered()
            if self._kept is None or self._kept.number < highest:
                self._look()
                highest = self._remembered()
            if self._kept is None:
                raise Stopped("Whether it is stopped cannot be told: no word of the server's came.")
            check_fresh(self._kept, self._fresh, highest)
            found = self._kept
            self._tell(found)
        return found

    def _look(self) -> None:
        """Get the newest; what cannot be had or verified, or is older than what is kept, changes nothing."""
        self._looked = time.monotonic()
        try:
            found = verify(self._source.statement(), self._keys, issuer=self._issuer)
        except Exception as error:  # whatever it is: what is kept gets too old by itself
            log.warning("what is stopped could not be had: %s", type(error).__name__)
            return
        kept = self._kept
        if kept is None or (found.number, found.at) >= (kept.number, kept.at):
            self._kept = found

    def _remembered(self) -> int:
        number = self._kept.number if self._kept else 0
        if self._kept is not None and self._kept.at > time.time() + self._fresh:
            return self._highest  # of a clock that is wrong: nothing is remembered of it
        self._highest = max(self._highest, number)
        if self._noted is not None:
            self._highest = max(self._highest, self._noted(self._issuer, number))
        return self._highest

    def _tell(self, found: Statement) -> None:
        """Say which number is heeded: at once where it is another, else now and then."""
        now = time.monotonic()
        if found.number == self._told_number and now - self._told < TELL_SECONDS:
            return
        self._told, self._told_number = now, found.number
        try:
            self._source.seen(found.number, self._fresh)
        except Exception as error:
            self._told_number = -1
            log.warning("the server could not be told what is heeded: %s", type(error).__name__)


__all__ = [
    "FRESH_SECONDS", "MOST_STOPS", "Heed", "HttpStops", "RedisStops", "Source", "Statement", "check_fresh",
    "merged", "open_source", "sign", "verify", "verify_keys",
]  # fmt: skip
