"""mrkdwn in at most so many bytes, cut where nothing of it breaks; pure."""

from __future__ import annotations

import re
import unicodedata

TEXT_BYTES = 3_900
"""A message's top-level text. Slack: chat.update refuses more than 4,000 bytes of UTF-8 (`msg_too_long`),
also of one that chat.postMessage took."""
MORE = "…"
_LONGEST = 1_000
"""Bytes of the longest thing that is held together: a link of ours."""
_HELD = re.compile(rb"<[^<>\n]{1,%d}>|&(?:amp|lt|gt);|\\u\{[0-9a-f]{1,6}\}" % (_LONGEST - 2))
"""A mention, a date or a link; an entity; an escape of ours."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_JOINER = "\u200d"
_MARKS = 8
"""Marks that stay with the character before them; more in a row are somebody's joke."""


def shortened(text: str, most: int) -> str:
    """`text` in at most `most` (3 or more) bytes of UTF-8; what was cut ends in `…`.

    No entity, mention, date, link or escape is cut in two, and no mark is taken from its character. A lone
    surrogate, which has no bytes, is replaced.
    """
    text = _SURROGATE.sub("\ufffd", text)
    data = text.encode()
    if len(data) <= most:
        return text
    head = data[: _end(data, most - len(MORE.encode()))].decode()
    return _whole(head, text[len(head)]) + MORE


def _end(data: bytes, room: int) -> int:
    """The last place up to `room` where the text may be cut."""
    while data[room] & 0xC0 == 0x80:  # inside a character
        room -= 1
    for held in _HELD.finditer(data, max(room - _LONGEST, 0), min(room + _LONGEST, len(data))):
        if held.start() < room < held.end():
            return held.start()
    return room


def _whole(head: str, following: str) -> str:
    """`head` without its last character, where what follows is a part of that."""
    short = head
    for _ in range(_MARKS):
        marked = unicodedata.combining(following) or following == _JOINER or "\ufe00" <= following <= "\ufe0f"
        if not short or not (marked or short.endswith(_JOINER)):
            return short
        short, following = short[:-1], short[-1]
    return head
