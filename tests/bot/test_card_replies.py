"""What is said in a card's thread: once, when the card stands, and never before Slack wants it."""

from __future__ import annotations

from typing import Any

import pytest
from bot.test_delivery import Slack as Cards
from support import Core

from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.slack.client import Posted
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.text import Trusted
from signoff.bot.text.words.card_replies import KINDS, Spoken
from signoff.models import card_replies, crash, turns


class Slack(Cards):
    """Notes what stands in threads, and does what a test wants of the next post."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[dict[str, Any]] = []
        self.next: Exception | None = None
        self.loses = self.lets_look = False

    def post(self, channel: str, text: str, blocks: Any = None, *_: Any, **given: Any) -> Posted:
        if not given.get("thread_ts"):
            return super().post(channel, text)
        error, self.next = self.next, None
        if error is None or self.loses:
            stands = {"ts": f"1.{len(self.threads)}", "thread_ts": given["thread_ts"], "text": text}
            self.threads.append({**stands, "metadata": given["metadata"], "blocks": blocks})
        if error is not None:
            raise error
        return Posted(channel, self.threads[-1]["ts"], given["thread_ts"])

    def wrote(self, _: Any) -> bool:
        return True

    def messages(self, *_: Any) -> tuple[list[Any], None]:
        if not self.lets_look:
            raise SlackRefused("missing_scope", "")
        return self.threads, None


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Slack:
    monkeypatch.setitem(KINDS, "told", lambda _, said: Spoken(Trusted(f"*It is {said['n']}*"), ("<!here>",)))
    return Slack()


def ask(core: Core, slack: Slack, n: int = 1) -> tuple[Delivery, str]:
    delivery = Delivery(core.approvals, slack, Admins(slack, ()))  # type: ignore[arg-type]
    approval = core.submit("a")
    say(core, approval.id, n)
    return delivery, approval.id


def say(core: Core, approval_id: str, n: int, kind: str = "told") -> None:
    with core.store.transaction() as connection:
        card_replies.add(connection, approval_id, kind, {"n": n})


def again(core: Core) -> None:
    """Every pause is over."""
    with core.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE card_reply SET not_before = 0")


def messages(core: Core) -> list[str | None]:
    with core.store.reading() as connection:
        return list(connection.exec_driver_sql("SELECT message FROM card_reply ORDER BY id").scalars())


def test_it_waits_for_the_card_and_is_said_once_in_order(core: Core, slack: Slack) -> None:
    delivery, approval_id = ask(core, slack)
    say(core, approval_id, 2)
    say(core, approval_id, 3, "nobody_knows")
    delivery.beside()
    assert slack.threads == [], "no card stands yet"
    delivery.deliver(approval_id)
    again(core)
    delivery.beside()
    delivery.beside()
    assert [one["text"].split("\n")[0] for one in slack.threads] == ["It is 1", "It is 2"]
    assert {one["thread_ts"] for one in slack.threads} == {"1.0"}, "in the thread that the card begins"
    assert "<!here>" not in slack.threads[0]["text"], "what somebody wrote mentions nobody"
    assert messages(core) == ["1.0", "1.1", ""], "a kind that nobody knows is passed over"


@pytest.mark.parametrize("lets_look", [True, False])
def test_a_lost_reply_is_looked_for_and_else_posted_once_more(
    core: Core, slack: Slack, lets_look: bool
) -> None:
    delivery, approval_id = ask(core, slack)
    delivery.deliver(approval_id)
    slack.lets_look, slack.loses = lets_look, True
    for _ in range(4):  # it stands there, and nobody knows
        slack.next = SlackUnavailable("timeout", undone=False)
        again(core)
        delivery.beside()
    assert len(slack.threads) == (1 if lets_look else 2)
    assert messages(core) == (["1.0"] if lets_look else [""])


def test_a_process_that_dies_after_posting_leaves_one_reply(
    core: Core, slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def here(point: str) -> None:
        if point == "reply.posted":
            raise Died

    delivery, approval_id = ask(core, slack)
    delivery.deliver(approval_id)
    slack.lets_look = True
    with monkeypatch.context() as dying:
        dying.setattr(crash, "here", here)
        with pytest.raises(Died):
            delivery.beside()
    delivery.beside()
    assert (len(slack.threads), messages(core)) == (1, [None]), "somebody may still be at it"
    again(core)
    delivery.beside()
    assert (len(slack.threads), messages(core)) == (1, ["1.0"])


def test_what_slack_has_surely_not_done_is_done_again_for_ever(core: Core, slack: Slack) -> None:
    delivery, approval_id = ask(core, slack)
    delivery.deliver(approval_id)
    for _ in range(5):
        slack.next = SlackUnavailable("ratelimited", 30.0, limited=turns.POST, undone=True)
        again(core)
        delivery.beside()
        assert turns.paused(core.store, turns.POST)
        delivery.beside()
        with core.store.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM pause")
    assert slack.threads == []
    again(core)
    delivery.beside()
    assert messages(core) == ["1.0"]


@pytest.mark.parametrize(("code", "left"), [("thread_not_found", ""), ("invalid_blocks", None)])
def test_a_thread_that_is_gone_is_passed_over(core: Core, slack: Slack, code: str, left: str | None) -> None:
    delivery, approval_id = ask(core, slack)
    delivery.deliver(approval_id)
    slack.next = SlackRefused(code, "")
    delivery.beside()
    assert (slack.threads, messages(core)) == ([], [left])
