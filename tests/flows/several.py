"""A batch beside a bot in the test's own process: its card stands, and is drawn anew by the test."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from flows.local import SHARED, Local
from support import a_request, eventually

from signoff.bot.cards.batch_card import batch_card
from signoff.models import batch_cards
from signoff.models.messages import Freeze

JSON = dict[str, Any]


class Shown:
    """A batch whose card stands, drawn anew by the test."""

    def __init__(self, local: Local, payloads: list[JSON], title: str = "Clean up", **fields: Any) -> None:
        self.local, self.batches = local, local.server.approvals.batches
        name = uuid.uuid4().hex
        fields = {"action": "branch.delete", "reversibility": "reversible", "batch": name} | fields
        sent = [a_request(payload=one, **fields) for one in payloads]
        self.ids = [local.server.approvals.submit("billing-bot", one).id for one in sent]
        frozen = Freeze(title=title[:150], run=None, ids=tuple(one.id for one in sent))
        self.batch_id = self.batches.freeze("billing-bot", name, frozen).id
        message = batch_card(self.batch, now=local.server.store.clock())
        lease = batch_cards.take(local.server.store, self.batch_id)
        assert lease is not None
        self.ts = local.server.slack.post(SHARED, message.text, message.blocks).ts
        noted = local.server.approvals.batch_cards.note_shown(
            self.batch, lease, SHARED, self.ts, None, message.text, None, 0
        )
        assert noted

    @property
    def batch(self) -> Any:
        return self.batches.get(self.batch_id)

    @property
    def card(self) -> JSON:
        """Its message, drawn as it is now."""
        message = batch_card(self.batch, now=self.local.server.store.clock())
        self.local.server.slack.update(SHARED, self.ts, message.text, message.blocks)
        found: JSON = next(one for one in self.local.slack.messages(SHARED) if one["ts"] == self.ts)
        return found

    def became(self) -> Counter[str]:
        return Counter(one.status for one in self.batch.items)

    def once(self, **counts: int) -> None:
        """Wait until so many are so."""
        eventually(lambda: self.became() == Counter(counts))
