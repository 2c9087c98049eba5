"""The frames that an app sends over a link, seen before they become messages (RFC 6455, 5.2)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

from signoff.bot.blocks import FRAME_BYTES

TOO_LARGE: Final = 1009
"""RFC 6455: the code of a close after a message that is too large."""
TOO_LARGE_TEXT: Final = f"Max frame length of {FRAME_BYTES} has been exceeded"
_CONTROL: Final = 0x8


class Frames(asyncio.Protocol):
    """Stands between a transport and the server's own protocol, and hands everything on.

    `on_large` is called with the length of a frame that is over Slack's, as soon as its header has come.
    """

    def __init__(self, inner: asyncio.Protocol, on_large: Callable[[int], None]) -> None:
        self._inner = inner
        self._on_large = on_large
        self._header = bytearray()
        self._left = 0
        self._pieces = 0
        self._split: deque[bool] = deque()

    def came_in_pieces(self) -> bool:
        """Whether the next of the messages, asked for in order, came in more than one frame."""
        return self._split.popleft() if self._split else False

    def data_received(self, data: bytes) -> None:
        self._look(data)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def _look(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            if self._left:
                taken = min(self._left, len(data) - at)
                self._left, at = self._left - taken, at + taken
                continue
            self._header.append(data[at])
            at += 1
            length = _length(self._header)
            if length is not None:
                self._begin(self._header[0], length)
                self._header.clear()

    def _begin(self, first: int, length: int) -> None:
        self._left = length
        if length > FRAME_BYTES:
            self._on_large(length)
        if first & 0xF >= _CONTROL:
            return  # a ping or a close may stand between the pieces of a message
        self._pieces += 1
        if first & 0x80:
            self._split.append(self._pieces > 1)
            self._pieces = 0


def watch(transport: asyncio.BaseTransport, on_large: Callable[[int], None]) -> Frames:
    """Look at all that comes from now on."""
    frames = Frames(cast(Any, transport.get_protocol()), on_large)
    transport.set_protocol(frames)
    return frames


def _length(header: bytearray) -> int | None:
    """Bytes of a frame's content; None until its header is whole."""
    if len(header) < 2:
        return None
    short, mask = header[1] & 0x7F, 4 if header[1] & 0x80 else 0
    wide = {126: 2, 127: 8}.get(short, 0)
    if len(header) < 2 + wide + mask:
        return None
    return int.from_bytes(header[2 : 2 + wide]) if wide else short
