"""What a delivery writes to Slack, and what it leaves to another one."""

from __future__ import annotations

from typing import Any

from support import Core

from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.slack.client import Posted


class Slack:
    """Takes everything, and notes the texts."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.updated: list[str] = []

    def address(self) -> str:
        return "https://acme.slack.com"

    def permalink(self, channel: str, ts: str, thread_ts: str | None = None) -> str:
        return f"https://acme.slack.com/archives/{channel}/p{ts}"

    def post(self, channel: str, text: str, *_: Any, thread_ts: str | None = None, **__: Any) -> Posted:
        self.posted.append(text)
        return Posted(channel, f"{len(self.posted)}.0", thread_ts)

    def update(self, channel: str, ts: str, text: str, *_: Any, **__: Any) -> None:
        self.updated.append(ts)


def test_a_click_on_a_card_that_is_not_noted_yet_leaves_it_to_whoever_posts_it(core: Core) -> None:
    slack = Slack()
    delivery = Delivery(core.approvals, slack, Admins(slack, ()))  # type: ignore[arg-type]
    approval = core.submit("a")
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    delivery.redraw(approval.id, "C0APPROVE", "1.0")  # what it draws could come after what is newer
    assert slack.updated == []
    delivery.deliver(approval.id)
    assert (slack.posted, slack.updated) == ([], ["1.0"]), "what was clicked is the card: no other is posted"
    delivery.redraw(approval.id, "C0APPROVE", "0.5")
    assert slack.updated == ["1.0", "0.5"], "a double is closed"


def test_a_card_whose_last_revision_is_shown_already_is_no_longer_due(core: Core) -> None:
    slack = Slack()
    delivery = Delivery(core.approvals, slack, Admins(slack, ()))  # type: ignore[arg-type]
    approval = core.submit("a")
    delivery.deliver(approval.id)
    with core.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE approval SET delivered_revision = 0")
    delivery.deliver(approval.id)
    found = core.store.get(approval.id)
    assert found and found.delivered_revision == found.revision
    assert len(slack.posted) == 1 and slack.updated == [], "the card, once"


def test_a_decided_request_takes_one_post_and_one_edit(core: Core) -> None:
    slack = Slack()
    delivery = Delivery(core.approvals, slack, Admins(slack, ()))  # type: ignore[arg-type]
    approval = core.submit("a")
    delivery.deliver(approval.id)
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    delivery.deliver(approval.id)
    assert (len(slack.posted), slack.updated) == (1, ["1.0"])
