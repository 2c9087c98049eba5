"""Who may decide: asked at the click and at the submit, by Slack's word of that moment.

The bot runs in this process and remembers nobody, so that a change in Slack counts at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flows.conftest import EVE, GONE, GUEST, ROBOT
from flows.local import SHARED, Local, local_bot
from flows.person import ANA, BEN, MIA, OMAR, redrawn, text_of

from signoff.approvals.errors import GroupsUnread, NotAllowed
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.slack.directory import SlackDirectory

MEMBERS_ONLY = "Only members of this workspace can decide."


@pytest.fixture(scope="module")
def _local(tmp_path_factory: pytest.TempPathFactory, _redis_server: Any, transport: str) -> Iterator[Local]:
    how = {"remembered_seconds": 0, "transport": transport}
    with local_bot(tmp_path_factory.mktemp("local"), _redis_server.url, **how) as found:
        yield found


@pytest.fixture
def local(_local: Local) -> Local:
    for user in (ANA, BEN, MIA, GUEST, EVE):
        _local.person(user).close_all()
    _local.slack.reset()
    return _local


@pytest.mark.parametrize(
    ("user", "told"),
    [
        (MIA, f"Only <@{ANA}>, <@{BEN}>"),
        (GUEST, MEMBERS_ONLY),
        (EVE, MEMBERS_ONLY),
    ],
)
@pytest.mark.parametrize("action", ["approve", "reject", "edit", "more"])
def test_who_may_not_decide_is_told_so_privately(local: Local, user: str, told: str, action: str) -> None:
    approval_id = local.ask()
    someone = local.person(user)
    if action == "more":
        someone.choose(local.card(approval_id), "note")
    else:
        someone.click(local.card(approval_id), action)
    if action == "approve":
        someone.told_now(0, told)
    else:
        someone.view("message", told)
    assert local.pending(approval_id)
    shown = [text_of(m) for m in local.slack.messages(SHARED) if "ephemeral_to" not in m]
    assert len(shown) == 1, "nobody else reads of it"


@pytest.mark.parametrize(("user", "flag"), [(ROBOT, "is_bot"), (GONE, "deleted")])
def test_bots_and_deleted_users_decide_nothing(local: Local, user: str, flag: str) -> None:
    """They press nothing in Slack, so this asks the one writer with Slack's own directory."""
    approval_id = local.ask()
    local.slack.team(users={ANA: {flag: True}})
    with pytest.raises(NotAllowed):
        local.server.approvals.decide(approval_id, 1, ANA, "approve")
    with pytest.raises(NotAllowed):
        local.server.approvals.decide(approval_id, 1, user, "approve")
    with pytest.raises(NotAllowed):
        local.server.approvals.decide(approval_id, 1, "U0NOBODY01", "approve")
    assert local.pending(approval_id)


@pytest.mark.parametrize("form", ["reject", "edit", "note", "review"])
def test_a_form_of_somebody_who_may_no_longer_decide_records_nothing(local: Local, form: str) -> None:
    payload = {"plan": ["a long line of the plan, and another one"] * 60} if form == "review" else None
    approval_id = local.ask(payload=payload)
    ana = local.person(ANA)
    message = local.card(approval_id)
    ana.choose(message, "note") if form == "note" else ana.click(message, form)
    view = ana.view(form)
    fields = {
        "reject": {"Why,_or_what_to_change": "No"}, "note": {"Note_to_the_agent_and_the_record": "Yes"},
        "edit": {"amount": "80"}, "review": {},
    }[form]  # fmt: skip
    if form == "edit":
        ana.submit(view, **fields)
        view, fields = ana.view("difference"), {}
    local.slack.team(users={ANA: {"is_restricted": True}})
    ana.submit(view, **fields)
    ana.view("message", MEMBERS_ONLY)
    assert local.pending(approval_id)


def test_somebody_who_left_the_group_may_no_longer_decide(local: Local) -> None:
    approval_id = local.ask()
    local.slack.team(usergroups={"S0FINANCE1": {"users": [ANA, MIA]}})
    mia = local.person(MIA)
    mia.click(local.card(approval_id), "reject")
    view = mia.view("reject")
    local.slack.team(usergroups={"S0FINANCE1": {"users": [ANA]}})
    mia.submit(view, **{"Why,_or_what_to_change": "No"})
    mia.view("message", "<!subteam^S0FINANCE1>", "can decide this")
    assert local.pending(approval_id)


def test_the_group_that_is_named_may_decide(local: Local) -> None:
    approval_id = local.ask()
    local.slack.team(usergroups={"S0FINANCE1": {"users": [MIA]}})
    local.person(MIA).click(local.card(approval_id), "approve")
    Delivery(local.server.approvals, local.server.slack, Admins(local.server.slack, ())).deliver(approval_id)
    assert local.server.approvals.get(approval_id).decision
    redrawn(local.slack, approval_id, f"*Approved* by <@{MIA}>", channel=SHARED)


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
def test_nobody_decides_while_slack_cannot_say_who_they_are(local: Local, method: str) -> None:
    approval_id = local.ask()
    mia = local.person(MIA)
    local.slack.faults(method=method, mode="error", times=20)
    mia.click(local.card(approval_id), "approve")
    mia.told_now(0, "Signoff could not record that. Nothing has changed.")
    mia.click(local.card(approval_id), "reject")
    mia.view("message", "Slack could not open that just now.", "Nothing was decided")
    assert local.pending(approval_id)
    local.slack.faults(clear=True)


@pytest.mark.http
def test_a_form_that_slack_does_not_open_is_told(local: Local) -> None:
    approval_id = local.ask()
    ana = local.person(ANA)
    local.slack.faults(method="views.open", mode="error", times=1)
    ana.click(local.card(approval_id), "reject")
    told = ana.told_now(0, "Slack could not open that just now.", "Nothing was decided", "press again")
    assert "record" not in told["text"]
    assert local.pending(approval_id)
    ana.reject(local.card(approval_id), "No")
    assert local.server.approvals.get(approval_id).status == "rejected"


def test_a_view_that_was_tampered_with_names_nothing(local: Local) -> None:
    """A button of an old card, of another request's, and of nothing at all."""
    approval_id = local.ask()
    ana, message = local.person(ANA), local.card(approval_id)
    web = local.server.slack
    for value in ("", "x", f"{approval_id}:9", f"{approval_id}:-1", f"{approval_id}:1:1", "1:١", "a" * 1000):
        blocks = [
            {
                "type": "actions", "block_id": "row",
                "elements": [
                    {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": name}}
                    | ({"value": value} if value else {})
                    for name in ("approve", "reject", "edit", "review", "unknown", "page")
                ],
            }
        ]  # fmt: skip
        web.update(SHARED, message["ts"], "x", blocks)
        for name in ("approve", "reject", "edit", "review", "unknown"):
            ana.click(message, name)
            ana.close_all()
    assert local.pending(approval_id)


def test_nobody_decides_as_one_of_a_group_where_the_plan_has_none(local: Local) -> None:
    """The person is told why, the admins once; who is named by themselves goes on deciding."""
    approval_id, mia = local.ask(), local.person(MIA)
    local.slack.team(usergroups={"S0FINANCE1": {"users": [MIA]}}, plan="free")
    for number, button in enumerate(("approve", "reject", "approve")):
        before = len(mia.told())
        mia.click(local.card(approval_id), button)
        if button == "approve":
            mia.told_now(before, "cannot tell who is in <!subteam^S0FINANCE1>", "has no user groups")
        else:
            mia.view("message", "cannot tell who is in <!subteam^S0FINANCE1>", "Nothing has changed")
            mia.close_all()
        assert local.pending(approval_id), number
    told = [message["text"] for message in local.slack.messages(OMAR)]
    assert len(told) == 1 and "<!subteam^S0FINANCE1>" in told[0] and "by their ids" in told[0]
    local.person(ANA).click(local.card(approval_id), "approve")
    local.deliver(approval_id)
    assert local.server.approvals.get(approval_id).status == "approved"


def test_a_group_that_can_be_read_again_counts_again(local: Local) -> None:
    directory = SlackDirectory(local.server.slack)
    local.slack.team(usergroups={"S0FINANCE1": {"users": [MIA]}}, plan="free")
    for _ in range(3):
        with pytest.raises(GroupsUnread) as caught:
            directory.group("S0FINANCE1")
        assert caught.value.groups == ("S0FINANCE1",)
    asked = [entry for entry in local.slack.log() if entry.get("method") == "usergroups.users.list"]
    assert len(asked) == 1, "the refusal is remembered as an answer is"
    local.slack.team(plan="standard")
    directory.forget("S0FINANCE1")
    assert MIA in directory.group("S0FINANCE1")


@pytest.mark.parametrize("mode", ["html", "empty", "not_json"])
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
def test_nobody_decides_by_an_answer_that_is_not_slacks(local: Local, method: str, mode: str) -> None:
    approval_id, mia = local.ask(), local.person(MIA)
    local.slack.faults(method=method, mode=mode, times=20)
    mia.click(local.card(approval_id), "approve")
    mia.told_now(0, "Signoff could not record that. Nothing has changed.")
    assert local.pending(approval_id)
    local.slack.faults(clear=True)
