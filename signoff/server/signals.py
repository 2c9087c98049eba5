"""What a supervising process is told by signals; whoever waits hears of it at once."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Sequence
from types import FrameType, TracebackType


class Signals:
    """SIGTERM and SIGINT: `stop`. SIGHUP: `reload`, or `stop` where it came because the terminal was closed.

    Inside a `with`, in the main thread. A child's end wakes a wait too. Its handlers set plain attributes:
    one that takes a lock can meet itself.
    """

    def __init__(self) -> None:
        self.stop = False
        self.reload = False
        self._terminal = _has_terminal()
        self._heard, self._told = os.pipe()
        for end in (self._heard, self._told):
            os.set_blocking(end, False)

    def __enter__(self) -> Signals:
        self._wakeup = signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        handlers = {
            signal.SIGTERM: self._ended,
            signal.SIGINT: self._ended,
            signal.SIGHUP: self._hung_up,
            signal.SIGCHLD: lambda *_: None,  # without a handler nothing would be written to the pipe
        }
        self._before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._heard)
        os.close(self._told)

    def wait(self, seconds: float, files: Sequence[int] = ()) -> bool:
        """For so long, or until a signal comes, or, True, something can be read from one of the files."""
        if self.stop:
            return False
        found = select.select([self._heard, *files], [], [], seconds)[0]
        if self._heard in found:
            os.read(self._heard, 4096)
        return bool(set(found) - {self._heard})

    def _ended(self, number: int, frame: FrameType | None) -> None:
        self.stop = True

    def _hung_up(self, number: int, frame: FrameType | None) -> None:
        if self._terminal and not _has_terminal():
            self.stop = True
        else:
            self.reload = True


def _has_terminal() -> bool:
    """Whether this process has a terminal: SIGHUP from one that was closed ends it."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
