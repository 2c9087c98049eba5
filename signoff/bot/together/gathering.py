"""What a Review of many pages shows, gathered once and not for each page of it that somebody turns to."""

from __future__ import annotations

import threading
from collections import OrderedDict

from signoff.bot.cards.batch_items import Gathered, gathered
from signoff.models.approval import Approval

KEPT = 4
"""Reviews of which a process keeps what it gathered: whoever turns pages asks for the same within seconds."""
FROM = 26
"""Requests from which there is more than one page."""
_Shown = tuple[tuple[Approval, ...], tuple[int, ...]]
_kept: OrderedDict[str, tuple[_Shown, Gathered]] = OrderedDict()
_lock = threading.Lock()


def gathered_once(review_id: str, shown: tuple[Approval, ...], numbers: tuple[int, ...]) -> Gathered:
    """`gathered` of these, in full. What is kept is given only where each of them is the same still: whatever
    has happened to one of them, all is gathered anew.
    """
    about = (shown, numbers)
    with _lock:
        kept = _kept.get(review_id)
    if kept is not None and kept[0] == about:
        return kept[1]
    found = gathered(shown, numbers, whole=True)
    if len(shown) >= FROM:
        with _lock:
            _kept[review_id] = about, found
            _kept.move_to_end(review_id)
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
    return found
