"""What an agent says in words, made visible for a place: nothing of it runs, so blanks at an end are dropped
and not spelled out, and a place of one line shows its line ends as ⏎; pure.
"""

from __future__ import annotations

import re

from signoff.bot.text.text import visible

END = "⏎"
"""Where a line ends that stands in one line with others."""
_BLANKS = re.compile(r"[ \t]+(?=\r?\n|\Z)")
_ENDS = re.compile(r"[ \t]*(?:\r\n|[\r\n\v\f\x85\u2028\u2029])[ \t\r\n\v\f\x85\u2028\u2029]*")


def prose(text: str) -> str:
    """A text in lines, visible: without blanks at a line's end, and without empty lines around it."""
    return visible(_BLANKS.sub("", text).strip("\r\n").replace("\r\n", "\n"), keep="\n")


def one_line(text: str) -> str:
    """The same in one line: ` ⏎ ` where lines end. One of the text's own is spelled out."""
    parts = _ENDS.split(text.strip().replace(END, "\0"))
    return f" {END} ".join(visible(part.strip(" ")) for part in parts if part).replace("\\u{0}", "\\u{23ce}")
