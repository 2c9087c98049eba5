"""Whether what goes to the company's own chat goes elsewhere as well; pure.

Its name says that it is inside, and a chat's ids say nothing about who reads there. So here it is searched
for what leaves: an address, a URL, a telephone that is not ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from signoff.policy.message import LINES, MOST_PARTS, PROSE, names
from signoff.policy.words import plain_name

_MAIL = re.compile(r"[A-Za-z0-9]@[A-Za-z0-9]", re.ASCII)
_TEAMS = re.compile(r"19:[A-Za-z0-9_-]{1,100}@(?:thread\.(?:tacv2|v2|skype)|unq\.gbl\.spaces)", re.ASCII)
"""A conversation's id in Teams, which looks like an address."""
CHAT_PROSE = PROSE | LINES | names("blocks attachments card cards elements accessory fallback pretext footer")
"""What a chat's message says, links and pictures in it, too."""
REACHES = names(
    "webhook hook url uri endpoint phone sms mobile email emails mail mails cc bcc raw mime smtp host "
    "recipient recipients address addresses"
)
"""Words in a field's name that say that something goes to what stands there."""
NUMBERS = names("number numbers to_number to_numbers")


def why_chat_leaves(payload: dict[str, Any], is_ours: Callable[[Any], bool]) -> str:
    """Why what is to go to the company's own chat goes elsewhere as well; empty where nothing says so.

    `is_ours` says whether an address or a URL is ours. A chat's ids say nothing about who reads there.
    """
    left: list[tuple[str, Any]] = list(payload.items())
    for number, (key, value) in enumerate(left):
        name = plain_name(key)
        if not name or number > MOST_PARTS:
            return "a field's name is no plain word" if not name else "it has more parts than are looked at"
        if name in CHAT_PROSE:
            continue
        if isinstance(value, dict):
            left += value.items()
        elif isinstance(value, list | tuple):
            left += [(key, one) for one in value]
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            text = str(value)
            reaches = not REACHES.isdisjoint(name.split("_")) or name in NUMBERS
            reaches = (
                reaches or "://" in text or (_MAIL.search(text) is not None and not _TEAMS.fullmatch(text))
            )
            if reaches and not is_ours(value):
                return f"{name[:40]} is not surely one of internal_domains"
    return ""
