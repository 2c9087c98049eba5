"""A batch beside a bot in the test's own process: its card stands, and is drawn anew by the test."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from flows.local import SHARED, Local
from flows.person import ANA
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


def one_by_one(local: Local, word: str) -> set[tuple[str, str]]:
    """Press each button and form of requests that were asked together; what was pressed and sent."""
    ana = local.person(ANA)
    small = Shown(local, [{"to": word, "n": n} for n in range(6)], title=word)
    ana.click(small.card, "batch_each")
    for name, place in (("each_next", "1 of 6"), ("each_previous", "2 of 6"), ("each_reject", "1 of 6")):
        ana.press(ana.view("batch_each", place), name)
    ana.submit(ana.view("reject"), **{"Which_is_it?": "final", "Why,_or_what_to_change": word})
    ana.press(ana.view("batch_each", "2 of 6"), "each_edit")
    ana.submit(ana.view("edit"), to="another")
    ana.submit(ana.view("difference"))
    ana.press(ana.view("batch_each", "3 of 6"), "each_details")
    local.slack.act(type="close", user=ANA, view_id=ana.view("details")["id"])
    ana.press(ana.view("batch_each", "3 of 6"), "each_ask")
    ana.submit(ana.view("ask"), Your_question=(word * 300)[:2900].strip())
    ana.press(ana.view("batch_each", "3 of 6"), "each_approve")
    ana.press(ana.view("batch_each", "4 of 6"), "each_note")
    ana.submit(ana.view("note"), Note_to_the_agent_and_the_record=(word * 300)[:1900].strip())
    ana.press(ana.view("batch_each", "5 of 6"), "each_rest")
    ana.press(ana.view("batch_review"), "batch_approve_seen")
    ana.view("batch_result")
    ana.close_all()
    ana.click(small.card, "batch_approve")
    eventually(lambda: "pending" not in small.became())
    ana.click(small.card, "batch_look")
    ana.view("batch_review")
    ana.close_all()
    large = Shown(local, [{"n": n, "text": (word + "\n") * 3000} for n in range(30)], title=word)
    ana.click(large.card, "batch_review")
    ana.press(ana.view("batch_review", "Page 1"), "batch_page_next")
    ana.press(ana.view("batch_review", "Page 2"), "batch_page_back")
    ana.press(ana.view("batch_review", "Page 1"), "batch_each")
    ana.press(ana.view("batch_each"), "each_review")
    ana.view("review")
    ana.close_all()
    _clear(local, ana.user)
    for n in range(2):
        local.ask(action="branch.delete", payload={"to": word, "alike": n}, reversibility="reversible")
    local.slack.act(type="shortcut", user=ANA, callback_id="pending")
    ana.press(ana.view("list"), "batch_together_0")
    ana.view("batch_review")
    ana.close_all()
    ana.click(large.card, "batch_reject")
    ana.submit(ana.view("batch_reject"), **{"Which_is_it?": "final", "Why,_or_what_to_change": word})
    ana.view("batch_result", "You rejected 30")
    ana.close_all()
    pressed = (
        "approve", "review", "look", "page_back", "page_next", "approve_seen", "reject", "each", "together_0",
    )  # fmt: skip
    one = ("approve", "reject", "edit", "review", "rest", "previous", "next", "details", "ask", "note")
    names = [f"batch_{name}" for name in pressed] + [f"each_{name}" for name in one]
    return {("action", name) for name in names} | {
        ("view", "batch_reject"),
        ("view", "note"),
        ("view", "ask"),
    }


def _clear(local: Local, user: str) -> None:
    """Withdraw what waits on cards of its own, so that what comes now is on the first page of a list."""
    approvals = local.server.approvals
    for approval in map(approvals.get, approvals.waiting_for(user)):
        if approval.batch_id is None:
            approvals.cancel(approval.agent, approval.request_id)
