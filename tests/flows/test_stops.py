"""Somebody stops an agent from where they are, everybody sees it, and somebody else resumes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.local import Local, local_bot
from flows.person import ANA, BEN, CHANNEL, MIA, OMAR, Someone, buttons, can, card, choices, text_of
from flows.road import Road
from flows.several import Shown
from sqlalchemy import text
from support import eventually

from signoff import Blocked
from signoff.models.stops import StopScope
from signoff.sandbox.team import BOT_USER_ID

JSON = dict[str, Any]
GUEST, EVE = "U0GUS00001", "U0EVE00001"
ADMIN = OMAR
STOP, UNDOS, WAITS, WHY = "What is stopped", "Undos", "What waits", "Why"


@pytest.fixture(scope="module")
def _road(make_road: Callable[..., Road], tmp_path_factory: pytest.TempPathFactory) -> Road:
    road = make_road(folder=tmp_path_factory.mktemp("stopped"), SIGNOFF_ADMINS=ADMIN)
    road.start()
    return road


@pytest.fixture
def road(_road: Road) -> Iterator[Road]:
    """A server on which nothing is stopped, before and after."""
    yield _road
    for user in (ANA, BEN, MIA, OMAR):
        Someone(_road.slack, user).close_all()
    for user in (ANA, BEN):
        resume_all(_road, user)
    eventually(lambda: not standing(_road))


def standing(road: Road) -> list[str]:
    """The ids of what is stopped."""

    with road.store.reading() as connection:
        return list(connection.execute(text("SELECT id FROM stop WHERE ended_at IS NULL")).scalars())


def resume_all(road: Road, user: str) -> None:
    """What this person may resume is resumed."""
    someone = Someone(road.slack, user)
    if not standing(road):
        return
    listed = said(road, user, "resume")
    for block in listed.get("blocks", []):
        if block.get("accessory"):
            someone.click(listed, "resume", value=block["accessory"]["value"])
            view = eventually(lambda: (someone.stack() or [None])[-1])
            if view["callback_id"] == "resume":
                someone.submit(view)
            someone.close_all()


def said(road: Road, user: str, words: str) -> JSON:
    """What `/approvals words` answers this person alone."""
    someone = Someone(road.slack, user)
    before = len(someone.told())
    command(road, user, words)
    found: JSON = eventually(lambda: (someone.told()[before:] or [None])[0])
    return found


def command(road: Road, user: str, words: str) -> None:
    answer = road.slack.act(type="command", user=user, channel=CHANNEL, command="/approvals", text=words)
    assert answer["ok"] and answer["acked"], answer


def labels(message: JSON) -> list[str]:
    """What a card's menu says."""
    menu = next(n for n in _nodes(message["blocks"]) if n.get("action_id") == "more")
    return [str(option["text"]["text"]) for option in menu["options"]]


def _nodes(thing: Any) -> Iterator[JSON]:
    if isinstance(thing, dict):
        yield thing
        for value in thing.values():
            yield from _nodes(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _nodes(value)


def shown(road: Road, approval_id: str, *words: str, without: str = "") -> JSON:
    """A card once it says these words, and not that one."""

    def look() -> JSON | None:
        found = card(road.slack, approval_id)
        told = text_of(found)
        return found if all(word in told for word in words) and not (without and without in told) else None

    found: JSON = eventually(look)
    return found


def stop(someone: Someone, message: JSON, **fields: Any) -> JSON:
    """*Stop …* from a card's menu to what its form says then."""
    someone.choose(message, "stop")
    someone.submit(someone.view("stop"), **fields)
    return someone.view("stopped")


def resume(someone: Someone, message: JSON, how: str = "once") -> JSON:
    """The same of *Resume …*."""
    someone.choose(message, "resume")
    someone.submit(someone.view("resume"), How_it_goes_on=how)
    return someone.view("resumed")


def refusal(someone: Someone, before: int, *words: str) -> str:
    """What somebody is told in place of a form: in a message of their own, or on top."""

    def look() -> str | None:
        found = [
            str(one.get("text", "")) + text_of(one)
            for one in (*someone.told()[before:], *someone.stack()[-1:])
        ]
        return next((one for one in found if all(word in one for word in words)), None)

    told: str = eventually(look)
    someone.close_all()
    return told


def home(road: Road, user: str, *words: str) -> JSON | None:
    """Their Home, once it says these words."""
    found = road.slack.views(user)["home"]
    return found if found and all(word in text_of(found) for word in words) else None


def notes(road: Road, user: str) -> list[str]:
    """What the app has written to somebody directly."""
    return [str(message["text"]) for message in road.slack.messages(user)]


def test_a_card_stops_its_agent_and_somebody_else_resumes_it(road: Road) -> None:
    agent, other = road.agent("stopped-bot"), road.agent("other-bot")
    waits = agent.request("refund.create", {"customer": "cus_1"}, reversible=True)
    beside = other.request("refund.create", {"customer": "cus_2"}, reversible=True)
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    message, theirs = card(road.slack, waits.id), card(road.slack, beside.id)
    assert buttons(message) == ["approve", "reject", "edit", "more"]
    assert labels(message)[-2:] == ["Details…", "Stop stopped-bot…"]
    done = stop(ana, message, Why="It refunds *twice* <!channel>")
    assert "stopped-bot is stopped" in text_of(done) and "Nothing was approved" in text_of(done)
    held = shown(road, waits.id, f"Stopped by <@{ANA}>", "nothing of stopped-bot runs", "It refunds *twice*")
    assert buttons(held) == ["more"] and labels(held) == ["Details…", "Resume stopped-bot…"]
    assert "Stopped by" in held["text"] and "Approve" not in held["text"]
    assert "<!channel>" not in held["text"] and "Stopped by" not in text_of(card(road.slack, beside.id))
    with pytest.raises(Blocked, match="stopped by @ana"):
        agent.request("refund.create", {"customer": "cus_3"}, reversible=True).wait(60)
    ana.choose(held, "resume")
    assert "somebody else has to resume it" in text_of(ana.view("message"))
    ana.close_all()
    assert "resumed" in text_of(resume(ben, held))
    back = shown(road, waits.id, without="Stopped by")
    assert buttons(back) == ["approve", "reject", "edit", "more"]
    ben.close_all()
    ben.click(back, "approve")
    assert waits.wait(60).approved
    ben.click(theirs, "approve")
    assert beside.wait(60).approved
    assert labels(shown(road, waits.id, "*Approved*")) == ["Details…", "Stop stopped-bot…"]


def test_a_click_that_was_on_its_way_is_told_who_has_stopped_it(road: Road) -> None:
    ticket = road.agent("late-bot").request("late.act", {"n": 1}, reversible=True)
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    message = card(road.slack, ticket.id)
    ben.click(message, "reject")
    form = ben.view("reject")
    stop(ana, message)
    ben.submit(form, **{"Why,_or_what_to_change": "No"})
    assert "nothing of late-bot runs" in text_of(ben.view("message"))
    assert road.row(ticket.id).pending
    ana.close_all()
    ben.close_all()
    resume(ben, shown(road, ticket.id, "Stopped by"))


def test_guests_strangers_and_who_is_not_named_stop_nothing(road: Road) -> None:
    ticket = road.agent("kept-bot").request("kept.act", {"n": 1}, reversible=True)
    message = card(road.slack, ticket.id)
    for user in (GUEST, EVE, MIA):
        someone = Someone(road.slack, user)
        before = len(someone.told())
        someone.choose(message, "stop")
        assert "Nothing has changed" in refusal(someone, before, "Only"), user
        if user == EVE:  # Slack keeps her from commands
            continue
        before = len(someone.told())
        command(road, user, "stop all")
        assert "Nothing has changed" in refusal(someone, before, "Only"), user
        assert "Nothing is stopped" in str(said(road, user, "resume"))
    assert not standing(road)


def test_a_command_stops_by_name_by_pattern_or_everything(road: Road) -> None:
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    tickets = [
        road.agent("glob-bot").request(f"glob.{name}", {"n": 1}, reversible=True) for name in ("one", "two")
    ]
    for ticket in tickets:
        card(road.slack, ticket.id)
    command(road, ANA, "stop glob-bot")
    assert "glob-bot, whatever it asks for" in text_of(ana.view("stop"))
    ana.close_all()
    command(road, ANA, "stop")
    form = ana.view("stop")
    assert "Everything, of every agent" in text_of(form) and "glob-bot" in text_of(form)
    ana.close_all()
    before = len(ana.told())
    command(road, ANA, "stop no such agent!")
    assert "`no such agent!`" in refusal(ana, before, "knows no agent")
    command(road, ANA, "stop glob.t*")
    ana.submit(ana.view("stop", "glob.t*"), What_waits="hold", Undos="pass")
    assert "`glob.t*` of every agent is stopped" in text_of(ana.view("stopped"))
    shown(road, tickets[1].id, "no `glob.t*` runs")
    assert buttons(card(road.slack, tickets[0].id))[0] == "approve"
    listed = said(road, BEN, "resume")
    assert "`glob.t*` of every agent" in text_of(listed) and "undos may run" in text_of(listed)
    ben.click(listed, "resume")
    ben.submit(ben.view("resume"), How_it_goes_on="staged")
    assert "is asked about from now on" in text_of(ben.view("resumed"))
    back = shown(road, tickets[1].id, without="runs*")
    assert buttons(back)[0] == "approve"
    staged = said(road, BEN, "resume")
    assert "is asked about since" in text_of(staged)
    ben.close_all()
    ben.click(staged, "resume")
    ben.submit(ben.view("resume"))
    ben.close_all()
    assert "Nothing is stopped" in text_of(said(road, BEN, "resume"))


def test_what_waits_ends_where_who_stops_it_wants_that(road: Road) -> None:
    ticket = road.agent("ended-bot").request("ended.act", {"n": 1}, reversible=True)
    stop(Someone(road.slack, ANA), card(road.slack, ticket.id), What_waits="end")
    with pytest.raises(Blocked, match="stopped by @ana"):
        ticket.wait(60)
    over = shown(road, ticket.id, "Refused: stopped by @")
    assert not buttons(over) and "Blocked by policy" not in text_of(over)
    listed = said(road, ANA, "history ended-bot")
    assert "Refused: stopped by @" in text_of(listed) and "Policy:" not in text_of(listed)


def test_home_and_admins_are_told_and_home_stops_and_resumes(road: Road) -> None:
    ticket = road.agent("home-bot").request("home.act", {"n": 1}, reversible=True)
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    card(road.slack, ticket.id)
    for user in (ANA, BEN, MIA, ADMIN):
        road.slack.act(type="open_home", user=user)
    ana.press(eventually(lambda: home(road, ANA, "shows everything")), "stop")
    form = ana.view("stop")
    ana.submit(form, **{STOP.replace(" ", "_"): "agent:home-bot"}, Why="Too much")
    ana.view("stopped", "home-bot is stopped")
    ana.close_all()
    for user in (ANA, BEN, ADMIN):
        told = text_of(eventually(lambda user=user: home(road, user, "*home-bot* is stopped")))  # type: ignore[misc]
        assert told.index("*home-bot* is stopped") < told.index("Waiting for you") and "Too much" in told
    assert "home-bot* is stopped" not in text_of(eventually(lambda: home(road, MIA)))
    told = eventually(lambda: [one for one in notes(road, ADMIN) if "home-bot" in one])
    assert len(told) == 1 and f"*home-bot is stopped* · by <@{ANA}>" in told[0]
    ben.press(eventually(lambda: home(road, BEN, "*home-bot* is stopped")), "resume")
    ben.submit(ben.view("resume", "Too much"))
    ben.view("resumed")
    eventually(lambda: "is stopped" not in text_of(home(road, BEN) or {"blocks": []}))
    told = eventually(lambda: [one for one in notes(road, ADMIN) if "home-bot" in one][1:])
    assert len(told) == 1 and f"*home-bot is resumed* · by <@{BEN}>" in told[0]


def test_what_was_approved_and_has_not_run_is_void_and_counted(road: Road) -> None:
    agent = road.agent("void-bot")
    ticket = agent.request("void.act", {"n": 1}, reversible=True)
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    ana.click(card(road.slack, ticket.id), "approve")
    approved = shown(road, ticket.id, "*Approved*")
    done = stop(ana, approved)
    assert "1 unconfirmed" in text_of(done) and "could run until" in text_of(done)
    ana.press(done, "stop_known")
    assert "1 unconfirmed" in text_of(ana.view("stopped"))
    void = shown(road, ticket.id, f"*Void* · stopped by <@{ANA}>")
    assert "Void" in void["text"] and "stop:" not in str(choices(void))
    resume(ben, void)
    ana.close_all()


@pytest.fixture
def local(tmp_path_factory: pytest.TempPathFactory, _redis_server: Any, transport: str) -> Iterator[Local]:
    """A bot in this process: a test says when a card is drawn."""
    with local_bot(tmp_path_factory.mktemp("local"), _redis_server.url, transport=transport) as found:
        yield found


@pytest.mark.http
def test_a_batch_is_stopped_from_its_menu_and_nobody_decides_it_until_it_is_resumed(local: Local) -> None:
    shown = Shown(local, [{"branch": f"feature-{n}"} for n in range(6)])
    ana, ben = local.person(ANA), local.person(BEN)
    before = shown.card
    assert can(before, "batch_review") and can(before, "stop")
    ana.choose(before, "stop")
    ana.submit(ana.view("stop"), **{STOP.replace(" ", "_"): "action:branch.delete"})
    ana.view("stopped", "`branch.delete` of every agent is stopped")
    ana.close_all()
    held = shown.card
    assert buttons(held) == ["batch_look", "more"] and "no `branch.delete` runs" in text_of(held)
    ben.click(before, "batch_approve")
    ben.told_now(0, "no `branch.delete` runs")
    assert shown.became() == {"pending": 6}
    ben.close_all()
    ben.choose(held, "resume")
    ben.submit(ben.view("resume", "`branch.delete` of every agent"))
    ben.view("resumed")
    assert buttons(shown.card)[0] == "batch_approve"
    ben.close_all()
    ben.click(shown.card, "batch_approve")
    shown.once(approved=6)


def test_a_thread_and_a_shortcut_say_of_what_is_held_that_it_is(local: Local) -> None:
    approval_id = local.ask()
    place = local.card(approval_id)
    stop = local.server.approvals.stop(StopScope("agent", "billing-bot"), by=ANA)
    ana = local.person(ANA)
    before = len(ana.told())
    ana.write(f"<@{BOT_USER_ID}> pending", place["ts"])
    assert "nothing of billing-bot runs" in str(ana.told_now(before, "Stopped by"))
    local.deliver(approval_id)
    assert buttons(local.card(approval_id)) == ["more"]
    ana.use_shortcut(place)
    assert "nothing of billing-bot runs" in refusal(ana, before, "Stopped by")
    local.server.approvals.resume(stop.id, by=BEN)
    local.deliver(approval_id)
    assert buttons(local.card(approval_id))[0] == "approve"
