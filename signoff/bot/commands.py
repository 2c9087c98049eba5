"""/approvals: what I may decide, and help."""

from __future__ import annotations

from typing import Any

from signoff.approvals import Approvals
from signoff.bot import modals, replies, words
from signoff.bot.actions import Ack, Body, Respond
from signoff.bot.lists import PER_PAGE
from signoff.bot.text import Block
from signoff.models.approval import Approval


class Commands:
    """The slash command, and the buttons that turn its pages."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    def approvals(self, ack: Ack, command: Body) -> None:
        """`/approvals [pending | help]`; answered within the ack, to this person only."""
        asked = command.get("text", "").strip().lower()
        if asked in ("", "pending"):
            ack(**self._answer(command["user_id"], 1))
        else:
            ack(response_type="ephemeral", text=modals.help_text())

    def turn(self, ack: Ack, body: Body, respond: Respond) -> None:
        """Another page, in place of the one that was there."""
        ack()
        value = body["actions"][0].get("value", "1")
        page = int(value) if value.isdigit() and len(value) < 6 else 1
        respond(**self._answer(body["user"]["id"], page), replace_original=True)

    def _answer(self, user_id: str, page: int) -> dict[str, Any]:
        try:
            blocks: list[Block] = self.waiting(user_id, page)
        except Exception as error:
            return {"response_type": "ephemeral", "text": replies.explain(error, lambda: (None, 0))}
        return {"response_type": "ephemeral", "text": words.LIST_TITLE, "blocks": blocks}

    def waiting(self, user_id: str, page: int) -> list[Block]:
        """One page of what this person may decide, oldest first."""
        mine = self._approvals.waiting_for(user_id)
        pages = max(1, -(-len(mine) // PER_PAGE))
        page = min(max(page, 1), pages)
        start = (page - 1) * PER_PAGE
        found = (self._approvals.store.get(one) for one in mine[start : start + PER_PAGE])
        items: list[Approval] = [item for item in found if item is not None and item.pending]
        return modals.approvals_list(items, page, pages)
