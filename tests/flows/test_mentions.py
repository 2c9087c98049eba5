"""Deciding inside a thread: `@signoff …`, the shortcut *Decide…*, and what Slack tells of the team."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.conftest import EVE, GUEST
from flows.local import SHARED, Local, local_bot
from flows.person import ANA, BEN, MIA, Someone, buttons, card, redrawn, text_of
from flows.road import Road
from support import eventually, undelivered

import signoff.bot
from signoff import Rejected
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.listeners.actions import Actions
from signoff.bot.listeners.mentions import Mentions
from signoff.bot.listeners.opener import Opener
from signoff.bot.listeners.shortcut import Decide
from signoff.bot.slack.client import Slack
from signoff.sandbox.team import BOT_USER_ID

ME = f"<@{BOT_USER_ID}>"
MEMBERS_ONLY = "Only members of this workspace can decide."


@pytest.fixture(scope="module")
def _local(tmp_path_factory: pytest.TempPathFactory, _redis_server: Any, transport: str) -> Iterator[Local]:
    with local_bot(tmp_path_factory.mktemp("local"), _redis_server.url, transport=transport) as found:
        yield found


@pytest.fixture
def local(_local: Local) -> Local:
    for user in (ANA, BEN, MIA, GUEST, EVE):
        _local.person(user).close_all()
    _local.slack.reset()
    for known in [*_local.server.directory._known]:
        _local.server.directory.forget(str(known))
    return _local


def told(local: Local, user: str, thread_ts: str, words: str) -> dict[str, Any]:
    """What this person alone is told in the thread for writing this."""
    someone = local.person(user)
    before = len(someone.told())
    someone.write(words, thread_ts)
    found: dict[str, Any] = eventually(lambda: (someone.told()[before:] or [None])[0])
    assert found["thread_ts"] == (thread_ts or None)
    return found


def public(local: Local, thread_ts: str) -> list[str]:
    """Who wrote what all can see in a thread, the first message left out."""
    found = local.slack.messages(SHARED, thread_ts)[1:]
    return [m["user"] for m in found if "ephemeral_to" not in m]


def test_a_rejection_by_words_reaches_the_agent_and_the_card(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    ticket = road.agent().request("refund.create", {"amount": 120}, reversible=True)
    place = card(road.slack, ticket.id)
    eventually(lambda: not undelivered(road.store))
    before = len(ana.told())
    ana.write(f"{ME} Reject wrong customer &amp; a &lt;wrong&gt; sum", place["ts"])
    note = ana.told_now(before, "You rejected refund.create")
    assert note["thread_ts"] == place["ts"]
    with pytest.raises(Rejected) as rejected:
        ticket.wait(60)
    assert rejected.value.receipt and rejected.value.receipt.reason == "wrong customer & a <wrong> sum"
    assert rejected.value.receipt.decided_by and rejected.value.receipt.decided_by.id == ANA
    redrawn(road.slack, ticket.id, f"*Rejected* by <@{ANA}>", "wrong customer & a <wrong> sum")
    assert road.decisions(ticket.id) == 1 and not road.row(ticket.id).decision.resubmit


def test_decide_opens_the_review_from_the_card(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    ticket = road.agent().request("refund.create", {"amount": 120}, reversible=True)
    found = card(road.slack, ticket.id)
    eventually(lambda: not undelivered(road.store))  # a person is slower than the note of where it stands
    ana.use_shortcut(found)
    ana.submit(ana.view("review", "120"))
    assert ticket.wait(60).approved
    redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>")
    ana.use_shortcut(card(road.slack, ticket.id))
    ana.view("message", f"<@{ANA}> approved this")


@pytest.mark.http
def test_pending_says_what_waits_with_review_and_later_what_became_of_it(local: Local) -> None:
    approval_id = local.ask()
    place = local.card(approval_id)
    note = told(local, ANA, place["ts"], f"{ME}\npending")
    assert "refund.create: amount “120”" in text_of(note) and buttons(note) == ["review", "reject"]
    ana = local.person(ANA)
    ana.click(note, "review")
    ana.submit(ana.view("review"))
    assert local.server.approvals.get(approval_id).status == "approved"
    note = told(local, MIA, place["ts"], f"{ME} pending")
    assert f"*Approved* by <@{ANA}>" in text_of(note) and not buttons(note)
    assert BOT_USER_ID not in public(local, place["ts"])[1:], "answers are private; the log is the one reply"


@pytest.mark.parametrize("word", ["approve", "OK", "yes, go ahead", "👍"])
def test_words_never_approve_and_the_answer_says_why(local: Local, word: str) -> None:
    approval_id = local.ask()
    note = told(local, ANA, local.card(approval_id)["ts"], f"{ME} {word}")
    assert "Approving by words is not possible" in text_of(note) and "review" in buttons(note)
    assert "approve" not in buttons(note) and local.pending(approval_id)


@pytest.mark.parametrize(
    ("user", "answer"), [(MIA, f"Only <@{ANA}>"), (GUEST, MEMBERS_ONLY), (EVE, MEMBERS_ONLY)]
)
@pytest.mark.parametrize("words", ["reject no", "pending", "approve"])
def test_who_may_not_decide_is_told_so_privately(local: Local, user: str, answer: str, words: str) -> None:
    approval_id = local.ask()
    note = told(local, user, local.card(approval_id)["ts"], f"{ME} {words}")
    assert answer in note["text"] and not buttons(note)
    assert local.pending(approval_id)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("reject", "Say why"),
        ("reject  \n ", "Say why"),
        (f"reject {'x' * 3001}", "3,000 characters"),
        ("help", f"{ME} *reject*"),
        ("<!channel> what?", f"{ME} *reject*"),
        ("", f"{ME} *reject*"),
    ],
)
def test_help_and_a_missing_reason_change_nothing(local: Local, words: str, answer: str) -> None:
    approval_id = local.ask()
    assert answer in told(local, ANA, local.card(approval_id)["ts"], f"{ME} {words}")["text"]
    assert local.pending(approval_id)


def test_the_app_is_spoken_to_by_its_mention_wherever_a_text_says_so(local: Local) -> None:
    """By the id that Slack gives for the token: whatever it is called, the text names it."""
    name = "approvals-prod"
    local.slack.team(users={BOT_USER_ID: {"name": name, "real_name": name}})
    place = local.card(local.ask())["ts"]
    for words in ("help", "reject", ""):
        said = str(told(local, ANA, place, f"{ME} {words}"))
        assert f"{ME} *reject" in said and "@signoff" not in said
    before = len(local.person(ANA).told())
    answer = local.slack.act(type="command", user=ANA, channel=SHARED, command="/approvals", text="help")
    assert answer["acked"], answer
    note = local.person(ANA).told_now(before, "/approvals mine")
    assert f"{ME} *reject*" in str(note) and "@signoff" not in str(note)


def test_no_text_of_ours_has_the_manifests_name_for_it() -> None:
    """Only `call` does, for where Slack has not said who it is."""
    found = set[str]()
    for path in Path(signoff.bot.__file__).parent.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in docstrings]
        found |= {path.name for text in texts if "@signoff" in str(text.value)}
    assert found == {"text.py"}


def test_outside_a_cards_thread_it_says_where_to_write(local: Local) -> None:
    local.ask()
    assert "in the thread of a card" in told(local, ANA, "", f"{ME} reject no")["text"]
    other = local.person(BEN).write("Lunch?")["ts"]
    assert "in the thread of a card" in told(local, ANA, other, f"{ME} pending")["text"]


@pytest.mark.http
def test_people_who_talk_in_a_thread_are_left_alone(local: Local) -> None:
    approval_id = local.ask()
    ts = local.card(approval_id)["ts"]
    ana = local.person(ANA)
    for words in ("reject this?", f"I'd ask {ME} to reject", f"&gt; {ME} reject no", f"<@{BEN}> reject no"):
        ana.write(words, ts)
    told(local, ANA, ts, f"{ME} help")  # what came before has been handled or passed over by now
    assert len(ana.told()) == 1 and local.pending(approval_id)
    assert public(local, ts) == [ANA] * 5


def test_a_rejection_that_comes_late_is_told_who_was_faster(local: Local) -> None:
    approval_id = local.ask()
    ts = local.card(approval_id)["ts"]
    told(local, BEN, ts, f"{ME} reject wrong customer")
    assert f"<@{BEN}> rejected this" in told(local, ANA, ts, f"{ME} reject me too")["text"]
    decision = local.server.approvals.get(approval_id).decision
    assert decision and (decision.approver, decision.reason) == (BEN, "wrong customer")


@pytest.mark.socket_mode
def test_an_event_that_comes_again_is_answered_once(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    approval_id = local.ask()
    ts, ana = local.card(approval_id)["ts"], local.person(ANA)
    local.slack.faults(redelivery_seconds=[0, 0.05, 0.1])
    assert local.handler is not None
    send, lost = local.handler.client.send_socket_mode_response, []

    def lose_two(response: Any) -> None:
        if len(lost) < 2:
            lost.append(response)
        else:
            send(response)

    monkeypatch.setattr(local.handler.client, "send_socket_mode_response", lose_two)
    answer = local.slack.act(type="message", user=ANA, channel=SHARED, text=f"{ME} reject no", thread_ts=ts)
    assert not answer["acked"]
    eventually(lambda: [e for e in local.slack.log() if e["kind"] == "envelope"][-1]["acked"])
    assert len(lost) == 2
    told(local, ANA, ts, f"{ME} help")
    assert len(ana.told()) == 2, "one for the rejection, one for help"
    assert local.server.approvals.get(approval_id).status == "rejected"


def test_decide_on_what_is_no_card_says_so(local: Local) -> None:
    approval_id = local.ask()
    ana = local.person(ANA)
    local.person(BEN).write("Lunch?", local.card(approval_id)["ts"])
    for message in local.slack.messages(SHARED, local.card(approval_id)["ts"])[-1:]:
        ana.use_shortcut(message)
        ana.view("message", "This message is no card")
        ana.close_all()
    forged = {"event_type": "signoff_approval", "event_payload": {"approval_id": "nobody", "version": 1}}
    posted = local.server.slack.post(SHARED, "x", metadata=forged)
    ana.use_shortcut({"ts": posted.ts})
    ana.view("message", "This message is no card")
    assert local.pending(approval_id)


@pytest.mark.parametrize(("user", "answer"), [(MIA, f"Only <@{ANA}>"), (GUEST, MEMBERS_ONLY)])
def test_decide_opens_nothing_for_who_may_not_decide(local: Local, user: str, answer: str) -> None:
    approval_id = local.ask()
    someone = local.person(user)
    someone.use_shortcut(local.card(approval_id))
    someone.view("message", answer)
    assert local.pending(approval_id)


def test_a_changed_person_or_group_counts_at_once(local: Local) -> None:
    approval_id = local.ask()
    directory = local.server.directory
    assert not directory.person(ANA).guest and MIA not in directory.group("S0FINANCE1")
    local.slack.team(users={ANA: {"is_restricted": True}}, usergroups={"S0FINANCE1": {"users": [MIA]}})
    eventually(lambda: not directory.knows(ANA) and "S0FINANCE1" not in directory._known)
    ana, mia = local.person(ANA), local.person(MIA)
    ana.click(local.card(approval_id), "approve")
    ana.told_now(0, MEMBERS_ONLY)
    mia.click(local.card(approval_id), "approve")
    assert local.server.approvals.get(approval_id).status == "approved"


def test_an_answer_that_was_asked_before_the_change_is_not_kept(local: Local, monkeypatch: Any) -> None:
    directory, call = local.server.directory, Slack.call

    def changed_meanwhile(self: Slack, method: str, **given: Any) -> Any:
        answer = call(self, method, **given)
        directory.forget(ANA)
        return answer

    monkeypatch.setattr(Slack, "call", changed_meanwhile)
    directory.person(ANA)
    assert not directory.knows(ANA)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"installed": False}, "uninstalled"), ({"token_error": "token_revoked"}, "revoked the app's tokens")],
)
def test_the_end_of_the_app_in_slack_is_in_the_log(
    local: Local, caplog: pytest.LogCaptureFixture, change: dict[str, Any], said: str
) -> None:
    with caplog.at_level(logging.ERROR, "signoff.bot"):
        local.slack.team(bot=change)
        eventually(lambda: said in caplog.text)
    local.slack.reset()


def in_run(local: Local, run: str, count: int) -> tuple[list[str], str]:
    """Cards of one run, and the first message of the thread that they stand in."""
    ids = [local.ask(action=f"step.{number}", run=run) for number in range(count)]
    placed = local.server.store.get(ids[0])
    assert placed and placed.card and placed.card.thread
    return ids, placed.card.thread


def test_in_a_runs_thread_a_rejection_has_to_say_which_where_several_wait(local: Local) -> None:
    (first, second), top = in_run(local, "several", 2)
    note = told(local, ANA, top, f"{ME} reject no")
    assert "Which request do you mean?" in text_of(note)
    assert "step.0" in text_of(note) and "step.1" in text_of(note)
    assert buttons(note) == ["review", "reject"] * 2
    assert local.pending(first) and local.pending(second)
    note = told(local, MIA, top, f"{ME} reject no")
    assert f"Only <@{ANA}>" in text_of(note) and not buttons(note)


def test_in_a_runs_thread_a_code_says_which(local: Local) -> None:
    (first, second), top = in_run(local, "codes", 2)
    code = local.server.approvals.get(second).code
    assert "Say why" in text_of(told(local, ANA, top, f"{ME} reject {code}"))
    assert "You rejected step.1" in told(local, ANA, top, f"{ME} reject {code.lower()} wrong one")["text"]
    rejected = local.server.approvals.get(second)
    assert rejected.decision and rejected.decision.reason == "wrong one" and local.pending(first)


def test_a_code_of_another_thread_is_looked_at_before_it_is_rejected(local: Local) -> None:
    here, elsewhere = local.ask(payload={"amount": 1}), local.ask(payload={"amount": 2})
    card = local.server.approvals.get(here).card
    assert card and card.message
    code = local.server.approvals.get(elsewhere).code
    note = told(local, ANA, card.message, f"{ME} reject {code} wrong customer")
    assert "not in this thread" in text_of(note) and "amount “2”" in text_of(note)
    assert local.pending(here) and local.pending(elsewhere)


def test_details_of_a_code_are_shown_anywhere_to_who_may_see_them(local: Local) -> None:
    approval = local.server.approvals.get(local.ask(payload={"amount": 120}))
    note = told(local, ANA, "", f"{ME} details {approval.code}")
    assert "amount" in text_of(note) and approval.code in text_of(note) and buttons(note) == ["review"]
    assert "can see this" in text_of(told(local, MIA, "", f"{ME} details {approval.code}"))
    assert "knows no such request" in text_of(told(local, ANA, "", f"{ME} details ZZZZZZ"))
    assert "code, which stands on its card" in text_of(told(local, ANA, "", f"{ME} details what"))


def test_in_a_runs_thread_the_only_one_that_waits_is_taken(local: Local) -> None:
    (first, second), top = in_run(local, "one", 2)
    local.server.approvals.decide(first, 1, BEN, "approve")
    assert "You rejected step.1" in told(local, ANA, top, f"{ME} reject no")["text"]
    assert local.server.approvals.get(second).status == "rejected"
    assert "Nothing in this thread waits" in told(local, ANA, top, f"{ME} pending")["text"]


def test_a_rejection_never_hits_a_request_that_came_after_it_was_written(local: Local) -> None:
    """Slack may bring an event minutes late: what is meant is what waited when it was written."""
    (first,), top = in_run(local, "late", 1)
    written = local.slack.team(events=[]) and local.person(ANA).write(f"{ME} reject no", top)
    local.slack.team(events=["app_mention"])
    local.server.approvals.decide(first, 1, BEN, "approve")
    (second,), again = in_run(local, "late", 1)
    assert again == top
    server = local.server
    mentions = Mentions(server.approvals, server.lists, server.slack, lambda error, _: (str(error), None))
    event = {"user": ANA, "channel": SHARED, "thread_ts": top, "ts": written["ts"], "text": f"{ME} reject no"}
    mentions.answer({"event_id": "Ev1"}, event, {"bot_user_id": BOT_USER_ID})
    local.person(ANA).told_now(0, "already")
    assert local.pending(second)


def test_decide_on_the_first_message_of_a_runs_thread_shows_what_waits(local: Local) -> None:
    (first, second), top = in_run(local, "top", 2)
    ana = local.person(ANA)
    ana.use_shortcut({"ts": top})
    view = ana.view("choose", "step.0", "step.1")
    ana.press(view, "review", block_id=f"decide:{second}")
    ana.submit(ana.view("review"))
    assert local.server.approvals.get(second).status == "approved" and local.pending(first)
    local.person(MIA).use_shortcut({"ts": top})
    local.person(MIA).view("message", "Nothing in this thread waits for you")


def test_decide_on_a_card_in_a_runs_thread_opens_that_one(local: Local) -> None:
    (first, second), _ = in_run(local, "cards", 2)
    ana = local.person(ANA)
    place = local.server.approvals.get(second).card
    assert place and place.message
    ana.use_shortcut({"ts": place.message})
    ana.submit(ana.view("review"))
    assert local.server.approvals.get(second).status == "approved" and local.pending(first)


def test_metadata_only_names_a_row_which_has_to_have_its_card_in_that_channel(local: Local) -> None:
    """The stand-in sends no metadata with a message; Slack may, and any app can write any."""
    server, approval_id = local.server, local.ask()
    delivery = Delivery(server.approvals, server.slack, Admins(server.slack, ()))
    opener = Opener(server.slack, server.directory)
    actions = Actions(server.approvals, server.slack, opener, delivery)
    decide = Decide(server.approvals, opener, actions)
    named = {"event_type": "signoff_approval", "event_payload": {"approval_id": approval_id, "version": 1}}
    double = {"bot_id": "B0", "metadata": named}
    found = decide._of(SHARED, "1.000001", double)
    assert found and found.id == approval_id
    assert decide._of("C0RANDOM01", "1.000001", double) is None
    assert decide._of(SHARED, "1.000001", {"metadata": {**named, "event_type": "other"}}) is None
