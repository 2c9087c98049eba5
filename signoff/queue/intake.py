"""Stream entry → Approval: reads what agents send, one entry after the other, and acks after the commit."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from threading import Event
from typing import Protocol, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from signoff.errors import Invalid, NotApproved
from signoff.models import crash
from signoff.models.approval import Approval
from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.models.messages import MAX_ENTRY, VERSION, ApprovalRequest, Cancel, Outcome, Spend, build
from signoff.models.receipt import Status
from signoff.payload.canonical import parse
from signoff.queue.stream import Entry, Stream, refuses_all

log = logging.getLogger("signoff.intake")

OUTAGE = (RedisConnectionError, RedisTimeoutError, OSError, *DATABASE_OUTAGE)
TAKEN = tuple(str(version).encode() for version in (VERSION, VERSION - 1) if version)
"""Versions of the wire that this server reads: its own and the one before."""
FAILURES = 5
"""As often an entry may itself be at fault before it goes to the dead letters."""
BLOCK_SECONDS = 0.5
"""How long one read waits. New agents are looked for in between, so they are picked up within a second."""
BATCH = 10
"""Entries of each agent in one read: a noisy one delays the others by no more."""
MOST = 100
"""Entries in one read, but one of each agent: what is read has to be done before others claim it."""
CLAIM_IDLE_MS = 5000
"""An entry that was read so long ago and not acked: whoever read it died, or met an outage."""
CLAIM_SECONDS = 1.0
PAUSES = (0.1, 0.5, 1.0, 2.0)


class Approvals(Protocol):
    """What the intake asks of the one writer: see `signoff.approvals`."""

    def submit(self, agent: str, request: ApprovalRequest) -> Approval:
        """A request becomes an Approval; raises NotApproved where it is refused."""

    def cancel(self, agent: str, request_id: str, reason: str = "") -> Approval | None:
        """Its agent withdraws a request; None where there is none."""

    def spend(self, agent: str, request_id: str, by: str) -> None:
        """A process wants to run what was approved."""

    def report(self, agent: str, request_id: str, outcome: Outcome) -> None:
        """What became of an approved action."""

    def tell(self, approval: Approval) -> None:
        """Tell its agent where a request stands."""

    def refuse(self, agent: str, request_id: str, status: Status, reason: str) -> None:
        """Answer a request that never became an Approval."""

    def find(self, agent: str, request_id: str) -> Approval | None:
        """The Approval of a request; None where there is none."""


class Intake:
    """Reads every agent's stream. Any number of them share the work."""

    def __init__(self, approvals: Approvals, stream: Stream) -> None:
        self._approvals = approvals
        self._stream = stream
        self._agents: list[str] = []
        self._entries: deque[Entry] = deque()
        self._due: dict[str, float] = {}

    def run(self, stop: Event) -> None:
        """Until `stop` is set. An outage of Redis or the database pauses it, and counts against nobody."""
        failures = 0
        while not stop.is_set():
            try:
                self.step()
                failures = 0
            except Exception as error:
                if not _is_outage(error):
                    raise
                log.warning("paused: %s", type(error).__name__)
                stop.wait(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
        self._leave()

    def step(self) -> int:
        """Take what is next, and process it; how many entries that were.

        What an outage leaves unprocessed is still here for the next step: nobody waits until it is claimed.
        """
        if not self._entries:
            self._entries.extend(self._next())
        done = 0
        while self._entries:
            self.process(self._entries[0])
            self._entries.popleft()
            done += 1
        return done

    def _next(self) -> list[Entry]:
        """Look for new agents, take over what was left, read once."""
        if self._is_due("agents", BLOCK_SECONDS):
            self._find_agents()
        entries: list[Entry] = []
        if self._is_due("claim", CLAIM_SECONDS):
            for agent in self._agents:
                entries += self._of(agent, self._claim)
        if self._is_due("consumers", 60):
            for agent in self._agents:
                self._of(agent, self._stream.drop_idle_consumers)
        return entries + self._read(0 if entries else int(BLOCK_SECONDS * 1000))

    def process(self, entry: Entry) -> None:
        """One entry, whatever it holds, and its ack. Raises only for an outage: then it comes again."""
        crash.here("intake.read")
        for attempt in range(1, FAILURES + 1):
            try:
                if entry.fields is not None:
                    self._take(entry)
                break
            except NotApproved as refusal:
                self._bury(entry, refusal)
                break
            except Exception as error:
                if _is_outage(error):
                    raise
                # The text of an unforeseen error may repeat what the agent sent, so only its type is logged.
                log.error(
                    "entry failed: agent=%s entry=%s attempt=%d %s",
                    entry.agent,
                    entry.stream_id.decode(),
                    attempt,
                    type(error).__name__,
                )
                if attempt == FAILURES:
                    self._bury(entry, Invalid(f"The server failed on it {FAILURES} times ({_name(error)})."))
        self._stream.ack([entry])
        crash.here("intake.acked")

    def _take(self, entry: Entry) -> None:
        kind, request_id, body = _open(entry)
        if kind == "request":
            request = ApprovalRequest.decode(body)
            if str(request.id) != request_id:
                raise Invalid("The ids in the entry and in its body differ.")
            self._approvals.tell(self._approvals.submit(entry.agent, request))
        elif kind == "cancel":
            cancel = build(Cancel, parse(body))
            approval = self._approvals.cancel(entry.agent, request_id, cancel.reason)
            if approval:
                self._approvals.tell(approval)
        elif kind == "spend":
            self._approvals.spend(entry.agent, request_id, build(Spend, parse(body)).by)
        else:
            self._approvals.report(entry.agent, request_id, build(Outcome, parse(body)))

    def _bury(self, entry: Entry, refusal: NotApproved) -> None:
        """Dead-letter an entry, and answer its agent where it can be told which request it was."""
        log.warning("refused: agent=%s entry=%s", entry.agent, entry.stream_id.decode())
        self._stream.bury(entry, refusal.detail[:2000], keep=MAX_ENTRY)
        crash.here("intake.buried")
        fields = entry.fields or {}
        request_id = _uuid(fields.get(b"id", b""))
        if request_id and fields.get(b"kind") not in (b"cancel", b"spend", b"outcome"):
            known = self._approvals.find(entry.agent, request_id)
            if known is None:
                status = cast(Status, refusal.status)
                self._approvals.refuse(entry.agent, request_id, status, refusal.detail[:2000])

    def _find_agents(self) -> None:
        started = time.monotonic()
        found = self._stream.agents()
        for agent in set(found) - set(self._agents):
            self._of(agent, self._stream.join)
        self._agents = found
        # Looking takes longer the more answers stand in Redis: never more than a tenth of the time.
        self._due["agents"] = time.monotonic() + max(BLOCK_SECONDS, 9 * (time.monotonic() - started))

    def _read(self, block_ms: int) -> list[Entry]:
        if not self._agents:
            time.sleep(block_ms / 1000)
            return []
        try:
            most = max(1, min(BATCH, MOST // len(self._agents)))
            return self._stream.read(self._agents, most, block_ms)
        except ResponseError as error:
            if refuses_all(error):
                raise
            # One stream without its group, or of another type, fails the read of all: find it, go on.
            log.warning("a stream cannot be read: %s", str(error).split(" ")[0])
            found = []
            for agent in list(self._agents):
                found += self._of(agent, self._rejoin)
            return found

    def _claim(self, agent: str) -> list[Entry]:
        return self._stream.claim(agent, CLAIM_IDLE_MS)

    def _rejoin(self, agent: str) -> list[Entry]:
        try:
            return self._stream.read([agent], BATCH, 1)
        except ResponseError as error:
            if refuses_all(error):
                raise
            self._stream.join(agent)
            return self._stream.read([agent], BATCH, 1)

    def _of(self, agent: str, call: Callable[[str], Iterable[Entry] | None]) -> list[Entry]:
        """What `call` gives for one agent; one whose stream is broken is left out, and stalls nobody."""
        try:
            return list(call(agent) or ())
        except ResponseError as error:
            if refuses_all(error):
                raise
            log.warning("agent=%s: its stream cannot be used: %s", agent, str(error).split(" ")[0])
            if not str(error).startswith("NOGROUP"):
                self._agents = [name for name in self._agents if name != agent]
            return []

    def _is_due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0):
            return False
        self._due[what] = now + seconds
        return True

    def _leave(self) -> None:
        """Take this consumer's name off the groups, unless it still holds something."""
        for agent in self._agents:
            try:
                self._of(agent, self._stream.leave)
            except RedisError:
                return


def _is_outage(error: Exception) -> bool:
    return isinstance(error, OUTAGE) or refuses_all(error)


def _open(entry: Entry) -> tuple[str, str, bytes]:
    fields = entry.fields or {}
    version, kind = fields.get(b"v", b""), fields.get(b"kind", b"").decode(errors="replace")
    request_id, body = _uuid(fields.get(b"id", b"")), fields.get(b"body", b"")
    if version not in TAKEN:
        theirs = version[:20].decode(errors="replace")
        raise Invalid(f"This server reads version {VERSION} of the wire, not {theirs!r}: update it first.")
    if kind not in ("request", "cancel", "spend", "outcome"):
        raise Invalid(f"There is no kind {kind[:20]!r}.")
    if request_id is None:
        raise Invalid("The id is not a UUID.")
    if sum(len(name) + len(value) for name, value in fields.items()) > MAX_ENTRY + 1024:
        raise Invalid(f"The entry is too large: at most {MAX_ENTRY:,} bytes are taken.")
    return kind, request_id, body


def _uuid(text: bytes) -> str | None:
    if not re.fullmatch(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        return None
    return str(uuid.UUID(text.decode()))


def _name(error: Exception) -> str:
    return type(error).__name__
