"""Which request of a batch somebody means in its card's thread: `@signoff ask 3 why so old?`."""

from __future__ import annotations

import re

from signoff.approvals.errors import UnknownApproval
from signoff.approvals.service import Approvals
from signoff.bot.listeners.mention_text import Spoken
from signoff.bot.text.text import Trusted
from signoff.bot.text.words import batches as words
from signoff.models import batch_cards
from signoff.models.approval import Approval

_NUMBER = re.compile(r"(?:no\.? ?|#)?([0-9]{1,3})(?![0-9A-Za-z.])[,:;)]?\s*", re.IGNORECASE | re.ASCII)


def meant(
    approvals: Approvals, channel: str, thread_ts: str, asked: Spoken, me: str
) -> tuple[Approval, Spoken] | Trusted | None:
    """(the request of that number, what is said of it); where it is not clear, or is done elsewhere, a
    sentence that says so. None where this is no batch's thread. `me` is the app's user id.
    """
    batch_id = batch_cards.at(approvals.store, channel, thread_ts) if thread_ts else None
    if batch_id is None:
        return None
    try:
        items = dict(approvals.batches.get(batch_id).numbered)
    except UnknownApproval:
        return None
    if asked.meaning not in ("ask", "note", "details"):
        return words.decided_on_its_card(me)
    found = _NUMBER.match(asked.rest)
    one = items.get(int(found.group(1))) if found else None
    if found is None or one is None:
        return words.say_which(asked.meaning, len(items), me)
    return one, Spoken(asked.meaning, asked.rest[found.end() :].strip())
