"""Stream entry → Approval: reads what agents send, one entry after the other, and acks after the commit."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import cast

from redis.exceptions import RedisError

from signoff.errors import Invalid, NotApproved, SignoffError
from signoff.models import crash
from signoff.models.messages import (
    MAX_ENTRY,
    VERSION,
)
from signoff.models.receipt import Status
from signoff.models.receipt_claims import APPROVAL, FEEDBACK, QUESTION
from signoff.payload.canonical import parse
from signoff.queue.entries import Entry
from signoff.queue.later import Later
from signoff.queue.names import BATCH, frozen
from signoff.queue.outage import is_outage
from signoff.queue.reader import Reader
from signoff.queue.requests import Stream
from signoff.queue.tally import Tally
from signoff.queue.turns import Turns
from signoff.queue.writer import Approvals, take

log = logging.getLogger("signoff.intake")

TAKEN = tuple(str(version).encode() for version in (VERSION, VERSION - 1) if version)
"""Versions of the wire that this server reads: its own and the one before."""
SMALL = ("cancel", "spend", "outcome", "message", "undo", "lessons", BATCH)
"""Kinds whose body stands in the entry itself: about requests that were sent, or what was said of them."""
FAILURES = 5
"""As often an entry may itself be at fault before it goes to the dead letters."""
DEATHS = 5
"""As often a process may end just while it takes an entry that another one has left: it is what ends them."""
TOO_LARGE = f"It is too large: at most {MAX_ENTRY:,} bytes are taken."
BLOCK_SECONDS = 0.5
"""How long one step waits."""
READ_SECONDS = 0.05
"""Once an agent's entries have taken so long others' are read, before its next ones: those go first."""
STOP_SECONDS = 0.1
"""How often somebody who waits looks whether to stop."""
PAUSES = (0.1, 0.5, 1.0, 2.0)
MOST_READ = 20_000
"""Values of a refused body, at most, that are read to tell what was asked."""


class Intake:
    """Reads every agent's stream. Any number of them share the work.

    `over` is told of an agent of whom more waits than may, and why: see `Bounds.enforce`. Without it what
    waits of the agent is thrown away.
    """

    def __init__(
        self, approvals: Approvals, stream: Stream, over: Callable[[str, str], None] | None = None
    ) -> None:
        self.tally = Tally(log)
        """What was passed over."""
        self._approvals = approvals
        self._stream = stream
        self._over = over or (lambda agent, _: stream.clear(agent))
        self._reader = Reader(stream, self.tally, self._over)
        self._turns = Turns()
        self._later = Later()

    def run(self, stop: Event) -> None:
        """Until `stop` is set. An outage of Redis or the database pauses it, and counts against nobody.

        What is neither that nor an entry's fault is counted and passed over: nothing ends it.
        """
        failures = 0
        while not stop.is_set():
            try:
                self.step(STOP_SECONDS)
                failures = 0
                continue
            except Exception as error:
                if is_outage(error):
                    log.warning("paused: %s", type(error).__name__)
                else:
                    self.tally.add("passed over", detail=type(error).__name__)
            stop.wait(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1
        with suppress(RedisError, OSError):
            self._reader.leave()

    def step(self, wait_seconds: float = BLOCK_SECONDS) -> int:
        """Take what is next, and process it; how many entries that were.

        What an outage leaves unprocessed is still here for the next step: nobody waits until it is claimed.
        """
        if not self._turns:
            self._read(self._later.rest(wait_seconds))
            self._turns.add(self._later.due())
        done, taken = 0, defaultdict[str, float](float)
        while self._turns:
            entry, began = self._turns.next(), time.monotonic()
            try:
                self.process(entry)
            except Exception as error:
                if not is_outage(error):
                    self._drop(entry)
                    raise
                mine = [entry, *self._turns.all_of(entry.agent)]
                match self._later.put(mine):
                    case "outage":
                        raise
                    case "guilty":
                        self._bury(
                            entry, Invalid(f"The server failed on it again and again ({_name(error)}).")
                        )
                        self._stream.ack([entry])
                        self._turns.add(mine[1:])
            else:
                self._later.done(entry)
                done += 1
            took = time.monotonic() - began
            self._turns.note(entry.agent, took)
            taken[entry.agent] += took
            if taken[entry.agent] > READ_SECONDS and entry.agent in self._turns.agents:
                self._read(0)
                taken.clear()
        return done

    def _read(self, wait_seconds: float) -> None:
        """What others have sent of whom nothing waits here."""
        found = self._reader.next(wait_seconds, {*self._later.agents, *self._turns.agents})
        self._turns.add(entry for entry in found if not self._later.holds(entry))

    def process(self, entry: Entry) -> None:
        """One entry, whatever it holds, and its ack. Raises only for an outage: then it comes again."""
        crash.here("intake.read")
        if entry.deliveries > DEATHS:
            self._bury(entry, Invalid(f"Taking it has ended the server's process {DEATHS} times."))
        elif entry.deliveries:
            self._stream.count(entry, entry.deliveries + 1)
            try:
                self._try(entry)
            except Exception:
                self._stream.count(entry, entry.deliveries)
                raise
        else:
            self._try(entry)
        self._stream.ack([entry])
        crash.here("intake.acked")

    def _try(self, entry: Entry) -> None:
        text: bytes | None = b""
        for attempt in range(1, FAILURES + 1):
            try:
                kind, request_id, text = self._open(entry)
                if text is None:
                    self.tally.counts["no body"] += 1  # taken already, or lost: then its agent sends it again
                else:
                    take(self._approvals, entry.agent, kind, request_id, text)
                return
            except NotApproved as refusal:
                self._bury(entry, refusal, text or b"")
                return
            except Exception as error:
                if is_outage(error):
                    raise
                # The text of an unforeseen error may repeat what the agent sent, so only its type is logged.
                log.error(
                    "entry failed: agent=%s entry=%s attempt=%d %s",
                    entry.agent,
                    entry.stream_id.decode(),
                    attempt,
                    _name(error),
                )
                if attempt == FAILURES:
                    failed = Invalid(f"The server failed on it {FAILURES} times ({_name(error)}).")
                    self._bury(entry, failed, text or b"")

    def _open(self, entry: Entry) -> tuple[str, str, bytes | None]:
        """Kind, id and body (None: it is not there); raises Invalid."""
        fields = entry.fields
        version, kind, request_id = fields.get(b"v", b""), entry.kind, _uuid(fields.get(b"id", b""))
        if not entry.whole:
            self._reader.note_oversized(entry.agent)
            raise Invalid(TOO_LARGE)
        if version not in TAKEN:
            theirs = version[:20].decode(errors="replace")
            raise Invalid(
                f"This server reads version {VERSION} of the wire, not {theirs!r}: update it first."
            )
        if kind != "request" and kind not in SMALL:
            raise Invalid(f"There is no kind {kind[:20]!r}.")
        if request_id is None:
            raise Invalid("The id is not a UUID.")
        if kind != "request":
            return kind, request_id, fields.get(b"body", b"")
        text = self._stream.body(entry.agent, request_id)
        if text is not None and len(text) > MAX_ENTRY:
            self._reader.note_oversized(entry.agent)
            raise Invalid(TOO_LARGE)
        return kind, request_id, text

    def _bury(self, entry: Entry, refusal: NotApproved, text: bytes = b"") -> None:
        """Dead-letter an entry, and answer its agent where it can be told which request it was."""
        self.tally.add("refused", entry.agent, f"entry={entry.stream_id.decode()}")
        self._guarded(
            entry, "not among the dead letters", lambda: self._stream.bury(entry, refusal.detail[:2000], text)
        )
        crash.here("intake.buried")
        request_id = _uuid(entry.fields.get(b"id", b""))
        if request_id and entry.kind not in {*SMALL} - {BATCH}:
            told_at = frozen(request_id, text) if entry.kind == BATCH else request_id
            self._guarded(entry, "not answered", lambda: self._refuse(entry, told_at, refusal, text))

    def _refuse(self, entry: Entry, request_id: str, refusal: NotApproved, text: bytes) -> None:
        if self._approvals.find(entry.agent, request_id) is None:
            status, kind = cast(Status, refusal.status), _kind(entry, text)
            self._approvals.refuse(entry.agent, request_id, status, refusal.detail[:2000], kind=kind)

    def _guarded(self, entry: Entry, what: str, call: Callable[[], object]) -> None:
        """What cannot be done about a bad entry is counted: it shall not come again for that."""
        try:
            call()
        except Exception as error:
            if is_outage(error):
                raise
            self.tally.add(what, entry.agent, _name(error))

    def _drop(self, entry: Entry) -> None:
        """It has raised what nothing here foresees: it is not read again."""
        with suppress(RedisError, OSError):
            self._stream.ack([entry])


def _uuid(text: bytes) -> str | None:
    if not re.fullmatch(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        return None
    return str(uuid.UUID(text.decode()))


def _name(error: Exception) -> str:
    return type(error).__name__


def _kind(entry: Entry, text: bytes) -> str:
    """What the agent has asked for, as far as that can be read: whoever is refused knows it by that."""
    if entry.kind != "request":
        return APPROVAL
    try:
        found = parse(text, MOST_READ)
    except SignoffError:
        return APPROVAL
    kind = found.get("kind") if isinstance(found, dict) else None
    return kind if kind in (QUESTION, FEEDBACK) else APPROVAL
