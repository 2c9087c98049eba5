"""`signoff hook claude-code`: Claude Code asks before a tool runs, and tells what became of it.

It ends with 0 and an answer, or with 2, which denies whatever else was said, and never with 1, after which
Claude Code would go on. What is wrong is said in words for a model: no host, port or path stands in them.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from signoff.adapters import texts
from signoff.adapters.claude_code import client
from signoff.adapters.claude_code.answer import raise_unless_approved
from signoff.adapters.claude_code.client import Approved
from signoff.adapters.claude_code.line import Away
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
"""Bytes of an event."""
LARGE = 64 * 1024
"""Bytes of an event whose request may be too large: Signoff's client says so, and how much there may be."""
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")
GAVE_UP = "Claude Code has given up waiting."
TOO_LATE = "Nobody decided within {:g} seconds."
PENDING = "A person has to decide on it, and has not yet. Resume this session later: it goes on from here."


class Ended(BaseException):
    """Claude Code, or somebody else, ends this process."""


@dataclass(frozen=True)
class Options:
    """`env_file`: the settings, and nothing else then. `wait`: seconds that a person has, at most.

    `defer`: what is undecided after them ends a run without a terminal, to be resumed; else it is denied.
    """

    env_file: str | None = None
    wait: float | None = None
    defer: bool = False


def main(words: Sequence[str]) -> int:
    """Read one event from stdin, and answer it on stdout; gives the exit code."""
    call: ToolCall | None = None
    try:
        _listen(_end)
        options = read_options(words)
        text = sys.stdin.buffer.read(MOST + 1)
        call = _read(text)
        settings = user_settings(options.env_file)
        if call.succeeded is not None:
            _report(call, settings)
            return 0
        said = _decide(call, settings, options, large=len(text) > LARGE)
        sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")
        sys.stdout.buffer.flush()
        return 0
    except BaseException as error:  # whatever it is: what goes on from here has not been approved
        if call is not None and call.event in AFTER:
            return 0  # it has run; its card says that nobody has reported
        print(_told(call, error), file=sys.stderr, flush=True)
        return DENIED


def read_options(words: Sequence[str]) -> Options:
    """The command line; raises ConfigError."""
    given: dict[str, Any] = {}
    left = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    while left:
        name = left.pop(0)
        if name == "--defer":
            given["defer"] = True
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
    if len(text) > MOST:
        raise NoCall("It is too large for anybody to look at.")
    try:
        return tool_calls.read(parse(text))
    except Invalid:
        raise NoCall("What the hook was given is no JSON, or not all of it.") from None


def _decide(call: ToolCall, settings: Settings, options: Options, *, large: bool) -> dict[str, Any]:
    """What Claude Code is answered; raises what is no answer: a fault, or the end of this process."""
    request: Request | None = None
    road = Road(settings)
    try:
        request = build(call, settings.agent, settings.secret)
        approved = _approved(call, request, road, options.wait, large=large)
    except NotApproved as error:
        return tool_calls.denied(call.event, texts.stopped(call.action, error))
    except WaitTimeout as error:
        if options.defer and call.event == "PreToolUse":
            return tool_calls.deferred(call.event, PENDING)
        if request is not None:
            road.withdraw(request, TOO_LATE.format(options.wait or 0))
        return tool_calls.denied(call.event, texts.stopped(call.action, error))
    except Ended:
        if request is not None:
            road.withdraw(request, GAVE_UP)
        raise
    told = corrections.told(request.payload, approved.payload, approved.who, approved.note)
    return tool_calls.allowed(call.event, approved.payload if approved.edited else None, told)


def _approved(call: ToolCall, request: Request, road: Road, wait: float | None, *, large: bool) -> Approved:
    """What may run; raises a SignoffError."""
    started = time.monotonic()
    if not large:
        try:
            found = road.ask(request)
        except Away:
            found = None  # the client knows more ways, and tries for longer
        if found is not None:
            raise_unless_approved(found)
            road.spend(request, found)
            return Approved.of(found, request)
        road.close()
    left = None if wait is None else max(0.0, wait - (time.monotonic() - started))
    return client.wait(call, request.key, left)


def _report(call: ToolCall, settings: Settings) -> None:
    if call.key is not None:
        Road(settings).report(call, bool(call.succeeded))


def _told(call: ToolCall | None, error: BaseException) -> str:
    """What a model reads of a fault."""
    what = call.action if call is not None else "The tool"
    if isinstance(error, Ended):
        return (
            f"{what} was not run: the hook that waits for its approval was ended. Its request is withdrawn."
        )
    if isinstance(error, NoCall):
        why = f"The hook cannot tell what was to run. {error}"
    else:
        why = next((text for kind, text in _WHY if isinstance(error, kind)), "The hook itself is at fault.")
    return f"{texts.stopped(what, SignoffError())} {why}"


_WHY: tuple[tuple[type[BaseException], str], ...] = (
    (ConfigError, "The hook's settings are missing or wrong."),
    (Unreachable, "No server of Signoff can be reached."),
    (NotVerified, "The answer that came does not verify."),
)


def _listen(handler: Callable[[int, FrameType | None], None] | int) -> None:
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)


def _end(number: int, frame: FrameType | None) -> None:
    """Called once, however often it is wished for: what is left to do is done quickly."""
    _listen(signal.SIG_IGN)
    raise Ended
