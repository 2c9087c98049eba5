"""`signoff hook claude-code`: Claude Code asks before a tool runs, and tells what became of it.

It ends with 0 and an answer, or with 2, which denies whatever else was said, and never with 1, after which
Claude Code would go on. What is wrong is said in words for a model: no host, port or path stands in them.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signoff.adapters import texts
from signoff.adapters.claude_code import client
from signoff.adapters.claude_code.answer import raise_unless_approved
from signoff.adapters.claude_code.client import Approved
from signoff.adapters.claude_code.line import Away
from signoff.adapters.claude_code.listener import Listener, leave_alone
from signoff.adapters.claude_code.request import Request, build
from signoff.adapters.claude_code.road import Road
from signoff.adapters.claude_code.settings import user_settings
from signoff.client.settings import Settings
from signoff.errors import (
    ConfigError,
    Invalid,
    NotApproved,
    NotVerified,
    SignoffError,
    Unreachable,
    WaitTimeout,
)
from signoff.models import tool_calls
from signoff.models.tool_calls import AFTER, NoCall, ToolCall
from signoff.payload import corrections
from signoff.payload.canonical import parse

DENIED = 2
"""The exit code that denies, whatever stands on stdout; Claude Code gives its model what stands on stderr."""
MOST = 16 * 1024 * 1024
"""Bytes of an event that asks."""
MOST_TOLD = 256 * 1024 * 1024
"""Bytes of one that tells what became of a call: what the tool gave stands in it."""
LARGE = 64 * 1024
"""Bytes of an event whose request may be too large: Signoff's client says so, and how much there may be."""
AFTER_ONLY = "--after"
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")
NOT_RUN = "Claude Code was not there any more to run it."
GAVE_UP = "Claude Code has given up waiting."
TOO_LATE = "Nobody decided within {:g} seconds."
PENDING = "A person has to decide on it, and has not yet. Resume this session later: it goes on from here."


class Ended(BaseException):
    """Claude Code, or somebody else, ends this process; or there is no Claude Code any more."""


@dataclass(frozen=True)
class Options:
    """`env_file`: the settings, and nothing else then. `wait`: seconds that a person has, at most.

    `defer`: what is undecided after them ends a run without a terminal, to be resumed; else it is denied.
    `after`: Claude Code only tells what became of a call, and whatever is wrong with that stops nothing.
    """

    env_file: str | None = None
    wait: float | None = None
    defer: bool = False
    after: bool = False


def main(words: Sequence[str]) -> int:
    """Read one event from stdin, and answer it on stdout; gives the exit code."""
    call: ToolCall | None = None
    after = AFTER_ONLY in words
    try:
        watch = _Watch()
        text = sys.stdin.buffer.read(MOST_TOLD)
        call = _read(text)
        options = read_options(words)
        settings = user_settings(options.env_file)
        if call.succeeded is not None:
            _report(call, settings)
        else:
            _Asking(call, settings, options, watch).decide(large=len(text) > LARGE)
        leave_alone()
        return 0
    except BaseException as error:  # whatever it is: what goes on from here has not been approved
        if call.event in AFTER if call is not None else after:
            return 0  # it has run; its card says that nobody has reported
        print(_told(call, error), file=sys.stderr, flush=True)
        return DENIED


def read_options(words: Sequence[str]) -> Options:
    """The command line; raises ConfigError."""
    given: dict[str, Any] = {}
    left = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    while left:
        name = left.pop(0)
        if name in ("--defer", AFTER_ONLY):
            given[name[2:]] = True
        elif name in ("--env-file", "--wait") and left:
            given[name[2:].replace("-", "_")] = left.pop(0)
        else:
            raise ConfigError(
                "The hook's command line is wrong: `signoff help hook claude-code` explains it."
            )
    if "wait" in given:
        try:
            given["wait"] = float(given["wait"])
        except ValueError:
            given["wait"] = -1.0
        if not 0 <= given["wait"] < 10**9:
            raise ConfigError("--wait takes seconds.")
    return Options(**given)


def _read(text: bytes) -> ToolCall:
    """An event → the call; what may decide something is read as strictly as payloads are. Raises NoCall."""
    event = tool_calls.event_of(text)
    if event is None and len(text) > MOST:
        raise NoCall("It is too large for anybody to look at.")
    try:
        return tool_calls.read(parse(text) if event is None else event)
    except Invalid:
        raise NoCall("What the hook was given cannot be read.") from None


class _Asking:
    """One call that is asked about: its answer is written, or it is withdrawn."""

    def __init__(self, call: ToolCall, settings: Settings, options: Options, watch: _Watch) -> None:
        self._call, self._options, self._watch = call, options, watch
        self._agent, self._secret = settings.agent, settings.secret
        self._road = Road(settings)

    def decide(self, *, large: bool) -> None:
        """Write what Claude Code is answered; raises what is no answer: a fault, or Ended."""
        call = self._call
        keeps = self._options.defer and call.event == "PreToolUse"
        request: Request | None = None
        try:
            request = build(call, self._agent, self._secret)
            said = self._allowed(request, self._approved(request, keeps, large=large))
            _write(said)
            return
        except NotApproved as error:
            said = tool_calls.denied(call.event, texts.stopped(call.action, error))
        except WaitTimeout as error:
            if error.approved:  # who may run it is not known
                raise Unreachable("No server says who may run it.") from None
            stopped = texts.stopped(call.action, error)
            said = (
                tool_calls.deferred(call.event, PENDING) if keeps else tool_calls.denied(call.event, stopped)
            )
        except Ended:  # nobody is told that it may run: so it does not
            if request is not None:
                leave_alone()
                self._road.withdraw(request, GAVE_UP, NOT_RUN)
            raise
        _write(said)

    def _approved(self, request: Request, keeps: bool, *, large: bool) -> Approved:
        """What may run; raises a SignoffError, or Ended."""
        started, wait = time.monotonic(), self._options.wait
        if not large:
            try:
                found = self._road.ask(request)
            except Away:
                found = None  # the client knows more ways, and tries for longer
            if found is not None:
                raise_unless_approved(found)
                self._watch.check()
                self._road.spend(request, found)
                return Approved.of(found, request)
            self._road.close()
        left = None if wait is None else max(0.0, wait - (time.monotonic() - started))
        late = None if keeps else TOO_LATE.format(wait or 0)
        return client.wait(self._call, request.key, left, late, self._watch.check)

    def _allowed(self, request: Request, approved: Approved) -> dict[str, Any]:
        """The answer that has just that run which was approved, whatever another hook says."""
        call = self._call
        told = corrections.told(request.payload, approved.payload, approved.who, approved.note)
        back = tool_calls.given_back(call.action, approved.payload, edited=approved.edited)
        return tool_calls.allowed(call.event, back, told)


def _report(call: ToolCall, settings: Settings) -> None:
    if call.key is not None:
        Road(settings).report(call, bool(call.succeeded))


def _told(call: ToolCall | None, error: BaseException) -> str:
    """What a model reads of a fault; where the event is not known, a call may have run already."""
    if call is None:
        why = str(error) if isinstance(error, NoCall) else "It did not come so far as to read it."
        return f"The hook cannot tell what Claude Code asked it. {why} A tool that was to run was not run."
    if isinstance(error, Ended):
        ended = "the hook that waits for its approval was ended. Its request is withdrawn."
        return f"{call.action} was not run: {ended}"
    why = next((text for kind, text in _WHY if isinstance(error, kind)), "The hook itself is at fault.")
    return f"{texts.stopped(call.action, SignoffError())} {why}"


_WHY: tuple[tuple[type[BaseException], str], ...] = (
    (ConfigError, "The hook's settings are missing or wrong."),
    (Unreachable, "No server of Signoff can be reached."),
    (NotVerified, "The answer that came does not verify."),
)


def _write(said: dict[str, Any]) -> None:
    """What Claude Code is answered; raises Ended where it cannot be told."""
    try:
        sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")
        sys.stdout.buffer.flush()
        leave_alone()  # until here a signal denies, with 2; from here on this answer stands
    except (OSError, ValueError, AttributeError):  # closed, full, or not there
        raise Ended from None


class _Watch:
    """From its making on a signal ends this process in order, and so does the end of Claude Code."""

    def __init__(self) -> None:
        self._listener = Listener()
        for name in SIGNALS:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: self._end())
        self._listener.watch(self.check)

    def check(self) -> None:
        """Raise Ended where nobody is left who would run it."""
        if self._listener.is_gone():
            self._end()

    def _end(self) -> None:
        """Called once, however often it is wished for."""
        leave_alone()
        raise Ended
