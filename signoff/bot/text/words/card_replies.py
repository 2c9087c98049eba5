"""What is said in cards' threads, by kind: a row here is all that another kind needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.bot.text.words import talks
from signoff.bot.text.words.spoken_reply import Spoken as Spoken
from signoff.models.approval import Approval

Sentence = Callable[[Approval, Mapping[str, Any]], Spoken | None]
"""An approval as it is now, and what was noted (`models.card_replies.add`) → what is said; None: nothing."""
KINDS: dict[str, Sentence] = {"talk": talks.in_thread}
"""By the `kind` of `models.card_replies.add`."""
