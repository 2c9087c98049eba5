"""Names as the words they are made of: `toRecipients`, `to_recipients` and `To-Recipients` alike; pure."""

from __future__ import annotations

import re
from functools import lru_cache

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_WORD = re.compile(r"[A-Z]{2,64}s(?![a-z])|[A-Z]{1,64}(?![a-z])|[A-Z]?[a-z]{1,64}|[0-9]{1,64}", re.ASCII)


def words(text: str) -> list[str]:
    """The words of a text, in lower case: a capital, a digit and whatever is no letter start a new one."""
    return [found.lower() for found in _WORD.findall(text)]


def joined(text: str) -> str:
    """A text's words with `_` before, between and after them."""
    return f"_{'_'.join(_WORD.findall(text))}_".lower()


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A field's name as words with `_` between them; empty for a name that is no plain ASCII word.

    Blanks, dots and letters that look like ours are no part of a plain name. `_` and `-` count, so that
    `t_o` is not `to`.
    """
    if not _NAME.fullmatch(name):
        return ""
    parts = [part for part in re.split("[_-]", name) if part]
    return "_".join("_".join(words(part)) for part in parts)
