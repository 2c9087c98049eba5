"""Runs the program of `signoff request --wait --run`: what was approved on its input, nothing of ours beside.

No shell reads the arguments, and the program gets none of Signoff's settings: an agent's password or secret
is not for what it runs.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any
from urllib.parse import quote, unquote, urlsplit

from signoff.errors import ConfigError
from signoff.queue.setting_names import NAMES

NOTE = 500
"""Characters of the last line on stderr that the card is told."""
TAIL = 8_192
"""Bytes of stderr that are kept to find it in."""
GRACE_SECONDS = 2.0
"""How long after its end the rest of its stderr is waited for: what it left running may hold that open."""
PREFIX = "SIGNOFF_"
STOPPED = "stopped before it was started"
SECRET = ("SECRET", "SIGNING", "PASSWORD", "TOKEN")
HANDED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


@dataclass(frozen=True)
class Ended:
    """How a program ended: `succeeded`, and in words where it did not; `interrupted` where we were told to
    stop meanwhile."""

    succeeded: bool
    note: str = ""
    interrupted: bool = False


def check(program: Sequence[str]) -> None:
    """Raise ConfigError where there is no such program: before anybody is asked."""
    if not program:
        raise ConfigError("--run needs a program: --run PROGRAM [ARG…], after everything else.")
    if shutil.which(program[0]) is None:
        raise ConfigError(f"--run: there is no program {program[0]!r} here that could be run.")


def environment(given: Mapping[str, str], request: Mapping[str, str]) -> dict[str, str]:
    """`given` without Signoff's settings, and without what repeats a secret of theirs; with `request`'s."""
    ours = {name: value for name, value in given.items() if name.upper().startswith(PREFIX) or name in NAMES}
    secrets = [secret for name, value in ours.items() for secret in _secrets(name, value)]
    kept = {
        name: value
        for name, value in given.items()
        if name not in ours and not any(secret in value for secret in secrets)
    }
    return kept | dict(request)


def _secrets(name: str, value: str) -> Iterator[str]:
    """What in a setting is secret: all of it, or the password of an address. Short ones are words."""
    found = value if any(word in name.upper() for word in SECRET) else ""
    with suppress(ValueError):
        found = found or (unquote(urlsplit(value).password or "") if "://" in value else "")
    if len(found) >= 8:
        yield from {found, quote(found, safe="")}


def run(program: Sequence[str], payload: str, env: Mapping[str, str]) -> Ended:
    """Run it with `payload` on its standard input; it has our stdout, and its stderr is passed on to ours."""
    with _signals() as signals:
        if signals.got:
            return Ended(False, STOPPED, True)
        try:
            process = subprocess.Popen(  # nosec B603: the arguments are the user's own, and no shell reads them
                [*program], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(env)
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            return Ended(False, f"could not be started: {why}"[:NOTE])
        signals.process = process
        if signals.got:  # while it was being started: it may not have heard
            process.terminate()
        assert process.stdin and process.stderr
        feeding = threading.Thread(target=_feed, args=(process.stdin, payload.encode()), daemon=True)
        tail = _Tail(process.stderr)
        feeding.start()
        tail.start()
        code = process.wait()
        tail.join(GRACE_SECONDS)
    how = _how(code)
    if not how:
        return Ended(True, interrupted=signals.got)
    said = tail.last_line()
    return Ended(False, f"{how}: {said}" if said else how, signals.got)


def _how(code: int) -> str:
    """How a program ended that did not succeed; empty where it did."""
    if code >= 0:
        return f"exit {code}" if code else ""
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def _feed(stdin: IO[bytes], data: bytes) -> None:
    with suppress(OSError):  # it may end, or close its input, without reading all of it
        stdin.write(data)
    with suppress(OSError):
        stdin.close()


class _Tail(threading.Thread):
    """Passes a program's stderr on, and keeps the last of it."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._source = source
        self._kept = b""

    def run(self) -> None:
        """Until the program, and all that it left running, has closed it."""
        with self._source:
            while data := os.read(self._source.fileno(), 65_536):
                self._kept = (self._kept + data)[-TAIL:]
                with suppress(OSError, ValueError):  # nobody reads ours any more
                    sys.stderr.write(data.decode(errors="replace"))
                    sys.stderr.flush()

    def last_line(self) -> str:
        """The last one that is not empty, cut, without what a terminal obeys."""
        lines = self._kept.decode(errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return "".join(char if char.isprintable() else " " for char in last)[:NOTE]


class _Handed:
    """Whom signals are handed on to, and whether any came."""

    process: subprocess.Popen[bytes] | None = None
    got = False


@contextmanager
def _signals() -> Iterator[_Handed]:
    """Signals that would end us go to the program, and we wait for its end.

    Ctrl-C on a terminal reaches the program by itself, as it is in our group: it is not told twice, since
    for many programs the second means to drop everything.
    """
    handed = _Handed()

    def hand_on(number: int, _: FrameType | None) -> None:
        handed.got = True
        if handed.process is None or (number in _OF_TERMINAL and _has_terminal()):
            return
        with suppress(OSError):
            handed.process.send_signal(number)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in HANDED_ON:
            if number := getattr(signal, name, None):
                before[number] = signal.signal(number, hand_on)
    try:
        yield handed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_OF_TERMINAL = tuple(getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name))


def _has_terminal() -> bool:
    """Whether we stand in the foreground of a terminal, which then told the program too."""
    if not hasattr(os, "tcgetpgrp"):
        return True  # Windows: a console tells all of its programs
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
