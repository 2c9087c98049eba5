"""Texts in a message: a line that could end, prose that is another message, a person's name; pure.

All of it is linear in the text.
"""

from __future__ import annotations

import re
from typing import Any

MOST_LINES = 2000
"""Lines that are looked at for headers, up to the first blank one."""
_PERSON = re.compile(r"[^@＠﹫<>;:\"\\%()\[\],=&]{0,100}")

# A line's end in any alphabet, and other control characters: what stands after one becomes a header.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u240a\u240d\u2424\u560a\u560d]")
# The same, written out: for a URL, HTML, a programme's text, a mail's own encodings, and UTF-7. Two letters
# beside each other that end in 0A or 0D become a line's end where somebody keeps their last byte only.
_ENCODED = re.compile(
    r"%(?:25)*(?:0[0-9a-f]|1[0-9a-f]|7f|8[0-9a-f]|c0%8|c4%8|e2%80%a[89]|e5%98%8)|%u|&(?:\#|newline|tab)"
    r"|\\[abefnrtuvxNU0-7]|=\?|=0[0-9a-f]|=85|=e2=80=a[89]|\+AA[0-3n-r]",
    re.IGNORECASE | re.ASCII,
)
_LAST_BYTE = re.compile(
    f"[{''.join(chr(high << 8 | low) for high in range(1, 256) for low in (10, 13))}]{{2}}"
)
# How a text begins that is not prose but another message: JSON, or a mail with its headers.
_NESTED = re.compile(r"[\s\ufeff\"'`]*(?:\{|\[\s*[\[{\"'])")
_LEAD = re.compile(r"[\s\ufeff]*")
_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_HEADER = re.compile(
    r"[ \t]*[<\"'-]{0,2}[ \t]{0,2}(?:(?:resent|apparently|mail-followup|disposition-notification|"
    r"errors|delivered|envelope|reply|x-original)[-_])?(?:to|cc|bcc|from|sender|return-path|mime-version|content-type|"
    r"content-transfer-encoding|received|rcpt[ \t]to|mail[ \t]from|x-[a-z-]{1,40})[\"']?[ \t]*[:=>]",
    re.IGNORECASE | re.ASCII,
)
_SMUGGLED = re.compile(r"(?:^|[\r\n])\.[\r\n]")
"""A line of one dot ends a mail for some servers, and what follows is another one."""


def breaks_a_line(text: str) -> bool:
    """Whether a text of one line has, or could be decoded to have, a line's end or a control character."""
    if _CONTROL.search(text) or _ENCODED.search(text):
        return True
    return not text.isascii() and _LAST_BYTE.search(text) is not None


def is_message(text: str) -> bool:
    """Whether a text is no prose, but JSON or a mail with headers, or ends one mail and begins another."""
    if "\x00" in text or _NESTED.match(text) or _SMUGGLED.search(text):
        return True
    lead = _LEAD.match(text)
    begin = lead.end() if lead else 0
    for _ in range(MOST_LINES):
        end = _BREAK.search(text, begin)
        if _HEADER.match(text, begin):
            return True
        line = text[begin : end.start() if end else len(text)]
        if end is None or not line.strip():
            return False  # a blank line ends the headers
        begin = end.end()
    return True  # nobody knows what stands further below


def is_name(value: Any) -> bool:
    """Whether it is a person's name: no address in it, and nothing that begins another one."""
    return isinstance(value, str) and _PERSON.fullmatch(value) is not None and not breaks_a_line(value)
