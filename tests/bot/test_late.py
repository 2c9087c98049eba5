"""Who is stopped with a lease and wakes after its time: nothing that it says is noted, and all is mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, undelivered

from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.lease import Held
from signoff.bot.slack.client import Posted
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.models import doubles, flood, homes, leases, threads, turns
from signoff.models.homes import Opened, Published

HOUR = 3600 * 1_000_000
Late = Callable[[], None]


class Slack:
    """Keeps what was said last by ts. What is in `meanwhile` happens while a call is under way, before Slack
    takes it (as with a process that is stopped just then); `lost` calls are taken, and their answers lost.
    """

    def __init__(self) -> None:
        self.shown: dict[str, list[dict[str, Any]]] = {}
        self.metadata: dict[str, Any] = {}
        self.meanwhile: list[Late] = []
        self.lost: list[bool] = []
        self.can_look = False
        self.looks = 0

    def address(self) -> str:
        return "https://acme.slack.com"

    def permalink(self, channel: str, ts: str, thread_ts: str | None = None) -> str:
        return f"https://acme.slack.com/archives/{channel}/p{ts}"

    def post(self, channel: str, text: str, blocks: Any = (), **given: Any) -> Posted:
        self._happens()
        ts = f"{len(self.shown) + 1}.0"
        self._show(ts, blocks, given)
        return Posted(channel, ts, given.get("thread_ts"))

    def update(self, channel: str, ts: str, text: str, blocks: Any, **given: Any) -> None:
        self._happens()
        self._show(ts, blocks, given)

    def messages(self, channel: str, thread: str | None, oldest: float, cursor: str | None = None) -> Any:
        self.looks += 1
        if not self.can_look:
            raise SlackRefused("missing_scope")
        found = [
            {"ts": ts, "metadata": self.metadata[ts], "bot_id": "B1"}
            | ({"thread_ts": thread} if thread else {})
            for ts in self.shown
        ]
        return found[::-1], None

    def wrote(self, message: dict[str, Any]) -> bool:
        return bool(message["bot_id"] == "B1")

    def open(self) -> list[str]:
        """The messages that somebody can decide on."""
        return [ts for ts, blocks in self.shown.items() if any(b["type"] == "actions" for b in blocks)]

    def revision(self, ts: str) -> int:
        return int(self.shown[ts][0]["block_id"].partition(":")[2])

    def _happens(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def _show(self, ts: str, blocks: Any, given: Any) -> None:
        self.shown[ts], self.metadata[ts] = list(blocks or []), given.get("metadata") or {}
        if self.lost and self.lost.pop(0):
            raise SlackUnavailable("RemoteDisconnected")


@pytest.fixture(autouse=True)
def _stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is stopped renews nothing; in these tests only the thread that calls Slack stands still."""
    monkeypatch.setattr(Held, "all", classmethod(lambda cls: []))


@pytest.fixture
def slack() -> Slack:
    return Slack()


def worker(core: Core, slack: Slack) -> Delivery:
    return Delivery(core.approvals, slack, Admins(slack, ()))  # type: ignore[arg-type]


def run_out(core: Core, table: str = "card") -> None:
    """All leases are over, as after a long stop."""
    with core.store.transaction() as connection:
        connection.execute(text(f"UPDATE {table} SET lease_until = 2 WHERE lease_until > 0"))
        connection.execute(text("UPDATE approval SET not_before = 0"))
        connection.execute(text("UPDATE card_double SET not_before = 0"))


def settle(core: Core, slack: Slack) -> None:
    """Other workers come by until nothing is due."""
    one = worker(core, slack)
    for _ in range(5):
        while turn := turns.next_turn(core.store):
            one.take(turn)
        one.redraw_doubles()
    assert undelivered(core.store) == [] and doubles.claim(core.store) is None


def card_of(core: Core, approval_id: str) -> Any:
    return core.approvals.get(approval_id).card


def test_a_post_that_comes_late_is_a_double_and_does_not_become_the_card(core: Core, slack: Slack) -> None:
    approval = core.submit()

    def meanwhile() -> None:
        run_out(core)
        worker(core, slack).deliver(approval.id)
        assert card_of(core, approval.id).message == "1.0"
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
        worker(core, slack).deliver(approval.id)

    slack.meanwhile = [meanwhile]
    worker(core, slack).deliver(approval.id)
    assert card_of(core, approval.id).message == "1.0", "the late one is not noted"
    settle(core, slack)
    assert card_of(core, approval.id).message == "1.0" and slack.open() == []
    assert slack.revision("1.0") == core.approvals.get(approval.id).revision
    assert "archives/C0APPROVE/p1.0" in str(slack.shown["2.0"]), "it says where the card stands"


def test_a_late_double_of_what_waits_has_no_buttons_either(core: Core, slack: Slack) -> None:
    approval = core.submit()

    def meanwhile() -> None:
        run_out(core)
        worker(core, slack).deliver(approval.id)

    slack.meanwhile = [meanwhile]
    worker(core, slack).deliver(approval.id)
    settle(core, slack)
    assert slack.open() == ["1.0"] == [card_of(core, approval.id).message]


def test_a_late_update_of_an_older_revision_is_drawn_over(core: Core, slack: Slack) -> None:
    approval = core.submit()
    worker(core, slack).deliver(approval.id)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET revision = revision + 1"))

    def meanwhile() -> None:
        run_out(core)
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
        worker(core, slack).deliver(approval.id)
        assert slack.open() == []

    slack.meanwhile = [meanwhile]
    worker(core, slack).deliver(approval.id)
    assert slack.open() == ["1.0"], "the older one stands over the newer one"
    assert undelivered(core.store) == [approval.id], "and that is known"
    settle(core, slack)
    assert slack.open() == [] and slack.revision("1.0") == core.approvals.get(approval.id).revision


def test_who_is_at_it_when_a_late_update_comes_goes_round_once_more(core: Core, slack: Slack) -> None:
    """B has updated and not noted it yet when A's late update comes: B's note must not hide that."""
    approval = core.submit()
    worker(core, slack).deliver(approval.id)
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET shown_at = shown_at"))
    late = core.approvals.get(approval.id)
    taken = leases.CARDS.take(core.store, late.card.id)  # type: ignore[union-attr]
    assert taken is not None
    run_out(core)
    where = ("C0APPROVE", "1.0", None, "")
    slack.meanwhile = [lambda: None]
    update = slack.update

    def then_late(*args: Any, **given: Any) -> None:
        update(*args, **given)
        slack.update = update  # type: ignore[method-assign]
        slack.shown["1.0"] = [{"type": "actions", "block_id": "header:1"}]  # A's, after B's
        assert not core.approvals.cards.note_shown(late, *where, lease=taken)

    slack.update = then_late  # type: ignore[method-assign]
    worker(core, slack).deliver(approval.id)
    settle(core, slack)
    assert slack.open() == []


def test_what_is_postponed_or_refused_late_holds_up_nobody(core: Core, slack: Slack) -> None:
    approval = core.submit()
    card = card_of(core, approval.id)
    late = leases.CARDS.take(core.store, card.id)
    assert late is not None
    run_out(core)
    lease = leases.CARDS.take(core.store, card.id)
    core.approvals.cards.postpone(approval.id, 60, lease=late)
    assert not core.approvals.cards.cannot_show(approval.id, "is_archived C1", lease=late)
    assert lease is not None and undelivered(core.store) == [approval.id]
    with core.store.reading() as connection:
        assert connection.execute(text("SELECT fault FROM card")).scalar() is None
    assert core.approvals.cards.cannot_show(approval.id, "is_archived C1", lease=lease)
    core.approvals.cards.postpone(approval.id, 60, lease=lease)
    assert undelivered(core.store) == []


def test_a_late_limit_gives_no_turn_back_and_shortens_no_pause(core: Core) -> None:
    core.submit("noisy")
    turn = turns.next_turn(core.store)
    assert turn and turn.agent == "noisy"
    late = leases.CARDS.take(core.store, turn.card_id, agent=turn.agent)
    run_out(core)
    assert leases.CARDS.take(core.store, turn.card_id, agent=turn.agent)
    turns.pause(core.store, turns.POST, "C0APPROVE", 60)
    turns.pause(core.store, turns.POST, "C0APPROVE", 1, turn, late)
    assert turns.rest(core.store, 100) > 30
    with core.store.reading() as connection:
        assert connection.execute(text("SELECT served_at FROM agent")).scalar(), "its turn was had"


def test_a_card_whose_answer_was_lost_is_found_again_where_slack_lets_us(core: Core, slack: Slack) -> None:
    approval = core.submit()
    slack.can_look, slack.lost = True, [True]
    worker(core, slack).deliver(approval.id)
    assert card_of(core, approval.id).message is None and list(slack.shown) == ["1.0"]
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET not_before = 0"))
    settle(core, slack)
    assert list(slack.shown) == ["1.0"] == [card_of(core, approval.id).message]


def test_without_the_scope_it_is_posted_again_and_nothing_waits(core: Core, slack: Slack) -> None:
    approval = core.submit()
    slack.lost = [True]
    worker(core, slack).deliver(approval.id)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET not_before = 0"))
    settle(core, slack)
    assert list(slack.shown) == ["1.0", "2.0"] and card_of(core, approval.id).message == "2.0"


def test_a_delivery_that_died_after_its_post_leaves_no_double(core: Core, slack: Slack) -> None:
    approval = core.submit()
    slack.can_look = True

    class Died(BaseException):
        pass

    def dies(*_: Any, **__: Any) -> None:
        raise Died

    one = worker(core, slack)
    core.approvals.cards.note_shown, noting = dies, core.approvals.cards.note_shown  # type: ignore[method-assign, assignment]
    with pytest.raises(Died):
        one.deliver(approval.id)
    core.approvals.cards.note_shown = noting  # type: ignore[method-assign]
    settle(core, slack)
    assert list(slack.shown) == ["1.0"] == [card_of(core, approval.id).message]
    assert slack.looks == 1


def test_whoever_never_posted_looks_nowhere(core: Core, slack: Slack) -> None:
    approval = core.submit()
    worker(core, slack).deliver(approval.id)
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    worker(core, slack).deliver(approval.id)
    assert slack.looks == 0


@pytest.mark.parametrize("whose", ["another app's", "another approval's", "redrawn already"])
def test_only_our_own_living_card_is_taken_for_it(core: Core, slack: Slack, whose: str) -> None:
    other, approval = core.submit(), core.submit(payload={"n": 2})
    slack.can_look = True
    about = {"approval_id": other.id if whose == "another approval's" else approval.id, "version": 1}
    about |= {"double": True} if whose == "redrawn already" else {}
    slack.shown["1.0"] = []
    slack.metadata["1.0"] = {"event_type": "signoff_approval", "event_payload": about}
    if whose == "another app's":
        slack.wrote = lambda message: False  # type: ignore[method-assign, assignment]
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE card SET unsure = 1"))
    worker(core, slack).deliver(approval.id)
    assert card_of(core, approval.id).message == "2.0"


def test_doubles_that_are_found_when_it_has_ended_are_redrawn(core: Core, slack: Slack) -> None:
    """The one that a crash left was not to be seen yet when the card was posted again."""
    approval = core.submit()
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE card SET unsure = 1"))
    slack.can_look = True
    worker(core, slack).deliver(approval.id)
    slack.shown["0.5"], slack.metadata["0.5"] = list(slack.shown["1.0"]), dict(slack.metadata["1.0"])
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    settle(core, slack)
    assert slack.open() == [] and card_of(core, approval.id).message == "1.0"


def test_a_double_that_somebody_presses_says_where_the_card_stands(core: Core, slack: Slack) -> None:
    approval = core.submit()
    worker(core, slack).deliver(approval.id)
    slack.shown["9.0"] = list(slack.shown["1.0"])
    worker(core, slack).redraw(approval.id, "C0APPROVE", "9.0")
    assert slack.open() == ["1.0"] and "p1.0" in str(slack.shown["9.0"])


def test_a_late_first_message_is_told_once_more(core: Core) -> None:
    core.submit()
    thread = threads.of_run(core.store, "billing-bot", "nightly", "C0APPROVE")
    posting = threads.take_to_post(core.store, thread.id)
    assert posting and threads.note_posted(core.store, thread.id, posting, "C0APPROVE", "1.1")
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE thread SET revision = 1"))
    late = threads.take_to_edit(core.store, thread.id)
    assert late is not None
    old = threads.get(core.store, thread.id)
    run_out(core, "thread")
    lease = threads.take_to_edit(core.store, thread.id)
    new = threads.get(core.store, thread.id)
    assert lease and old and new
    assert threads.note_shown(core.store, new, lease, "new", 0.0)
    assert not threads.note_shown(core.store, old, late, "old", 0.0)
    assert threads.due(core.store) == [thread.id], "theirs may be the older text in Slack"
    found = threads.get(core.store, thread.id)
    assert found and found.digest is None


def test_a_home_that_was_published_late_is_published_once_more(core: Core) -> None:
    homes.note_opened(core.store, "U0ANA")
    (late,) = homes.claim(core.store, [Opened("U0ANA", None)])
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE home SET not_before = 0"))
    (mine,) = homes.claim(core.store, [Opened("U0ANA", None)])
    homes.note_published(core.store, [Published("U0ANA", "new", 0.0, mine.lease)])
    homes.note_published(core.store, [Published("U0ANA", "old", 0.0, late.lease)])
    assert homes.due(core.store) == [Opened("U0ANA", None)], "what it shows is not known"
    homes.forget(core.store, late)
    assert homes.due(core.store), "somebody has opened it since"


def test_a_warning_that_comes_back_late_is_not_told_over_a_newer_one(core: Core) -> None:
    core.submit()
    until = core.store.clock() + HOUR
    assert flood.warn(core.store, "billing-bot", {"kind": "old"}, until)
    late = flood.claim(core.store, "billing-bot")
    assert late
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE flood_warning SET until = 1"))
    assert flood.warn(core.store, "billing-bot", {"kind": "new"}, until + 1)
    assert flood.claim(core.store, "billing-bot")
    flood.give_back(core.store, "billing-bot", late)
    assert flood.untold(core.store) == []


@pytest.mark.parametrize("table", ["card", "thread"])
def test_a_lease_further_ahead_than_one_lasts_is_free(core: Core, table: str) -> None:
    approval = core.submit()
    of = leases.CARDS if table == "card" else threads.LEASES
    row = approval.card.id
    if table == "thread":
        row = threads.of_run(core.store, "billing-bot", "nightly", "C0APPROVE").id
    late = of.take(core.store, row)
    assert late and of.take(core.store, row) is None
    with core.store.transaction() as connection:  # as if the clock had been put back
        connection.execute(text(f"UPDATE {table} SET lease_until = lease_until + {HOUR}"))
    lease = of.take(core.store, row)
    assert lease and not of.renew(core.store, row, late) and of.renew(core.store, row, lease)
    assert turns.next_turn(core.store) is None or table == "thread"


def test_who_still_works_when_the_clock_is_put_back_keeps_its_lease(core: Core) -> None:
    card = core.submit().card
    lease = leases.CARDS.take(core.store, card.id)
    with core.store.transaction() as connection:
        connection.execute(text(f"UPDATE card SET lease_until = lease_until + {HOUR}"))
    assert lease and leases.CARDS.renew(core.store, card.id, lease)
    assert leases.CARDS.take(core.store, card.id) is None


@pytest.mark.parametrize("column", ["approval.not_before", "pause.not_before"])
def test_what_rests_further_ahead_than_anything_does_is_due(core: Core, column: str) -> None:
    approval = core.submit()
    table = column.partition(".")[0]
    turns.pause(core.store, turns.POST, "C0APPROVE", 0.0)
    with core.store.transaction() as connection:
        connection.execute(
            text(f"UPDATE {table} SET not_before = :then"), {"then": core.store.clock() + HOUR}
        )
    turn = turns.next_turn(core.store)
    assert turn and turn.approval_id == approval.id


@pytest.mark.parametrize("what", ["home", "thread", "double"])
def test_so_are_homes_first_messages_and_doubles(core: Core, what: str) -> None:
    approval = core.submit()
    then = {"then": core.store.clock() + HOUR}
    if what == "home":
        homes.note_opened(core.store, "U0ANA")
        with core.store.transaction() as connection:
            connection.execute(text("UPDATE home SET not_before = :then"), then)
        assert homes.claim(core.store, homes.due(core.store))
    elif what == "thread":
        thread = threads.of_run(core.store, "billing-bot", "nightly", "C0APPROVE")
        with core.store.transaction() as connection:
            values = "message = '1.1', conversation = 'C', revision = 1, not_before = :then"
            connection.execute(text(f"UPDATE thread SET {values}"), then)
        assert threads.due(core.store) == [thread.id]
        assert threads.take_to_edit(core.store, thread.id)
    else:
        with core.store.transaction() as connection:
            doubles.add(connection, approval.id, doubles.Place("C", "1.1"))
            connection.execute(text("UPDATE card_double SET not_before = :then"), then)
        assert doubles.claim(core.store)
