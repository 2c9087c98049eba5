"""Which button and form of several requests is whose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_bolt import App

from signoff.bot.listeners.batch_each import Each
from signoff.bot.listeners.batches import BatchReviews


def register(
    app: App, together: BatchReviews, each: Each, later: Callable[[Callable[..., None]], dict[str, Any]]
) -> None:
    """All of them; `later` acknowledges a click before its listener runs."""
    clicks: dict[str, Callable[..., None]] = {
        "batch_approve": together.approve,
        "batch_review": together.review,
        "batch_look": together.look,
        "batch_together": together.together,
        "batch_page_back": together.turn,
        "batch_page_next": together.turn,
        "batch_approve_seen": together.approve_seen,
        "batch_reject": together.ask_reason,
        "batch_each": each.open,
        "each_approve": each.approve,
        "each_reject": each.reject,
        "each_edit": each.edit,
        "each_review": each.review,
        "each_rest": each.rest,
        "each_previous": each.go,
        "each_next": each.go,
    }
    for action_id, listener in clicks.items():
        app.action(action_id)(**later(listener))
    app.view("batch_reject")(ack=together.ack_reason, lazy=[together.reject])
