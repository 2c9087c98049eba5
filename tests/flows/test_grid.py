"""An Enterprise Grid: `members` are those of this workspace, at the click and at the submit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flows.conftest import EVE
from flows.local import Local, local_bot
from flows.person import ANA, MIA

GRID, HERE, THERE = "E0GRID0001", "T0SIGNOFF1", "T0PARTNER1"
MEMBERS_ONLY = "Only members of this workspace can decide."


@pytest.fixture(scope="module")
def _grid(tmp_path_factory: pytest.TempPathFactory, _redis_server: Any, transport: str) -> Iterator[Local]:
    folder = tmp_path_factory.mktemp("grid")
    how = {"remembered_seconds": 0, "approvers": f"members {EVE}", "transport": transport}
    with local_bot(folder, _redis_server.url, **how) as found:
        yield found


@pytest.fixture
def local(_grid: Local) -> Local:
    """Members may decide, and eve is named: but she is in another workspace of the same organisation."""
    for user in (ANA, MIA, EVE):
        _grid.person(user).close_all()
    _grid.slack.reset()
    _grid.slack.team(enterprise=GRID, users={EVE: {"enterprise_id": GRID, "teams": [THERE]}})
    return _grid


def test_the_stand_in_says_what_slack_says_of_a_grid(local: Local) -> None:
    assert local.server.slack.call("auth.test")["enterprise_id"] == GRID
    eve, ana = (local.server.slack.call("users.info", user=user)["user"] for user in (EVE, ANA))
    assert (eve["team_id"], eve["enterprise_user"]["teams"]) == (THERE, [THERE]) and "is_stranger" not in eve
    assert (ana["enterprise_user"]["enterprise_id"], ana["enterprise_user"]["teams"]) == (GRID, [HERE])


@pytest.mark.parametrize("action", ["approve", "reject", "edit"])
def test_at_the_click_a_person_of_another_workspace_is_refused(local: Local, action: str) -> None:
    approval_id = local.ask()
    eve = local.person(EVE)
    eve.click(local.card(approval_id), action)
    if action == "approve":
        eve.told_now(0, MEMBERS_ONLY)
    else:
        eve.view("message", MEMBERS_ONLY)
    assert local.pending(approval_id)


@pytest.mark.parametrize("form", ["reject", "edit", "note"])
def test_at_the_submit_a_person_who_is_in_another_workspace_by_then_is_refused(
    local: Local, form: str
) -> None:
    approval_id = local.ask()
    mia = local.person(MIA)
    message = local.card(approval_id)
    mia.choose(message, "note") if form == "note" else mia.click(message, form)
    view = mia.view(form)
    fields = {
        "reject": {"Why,_or_what_to_change": "No"}, "note": {"Note_to_the_agent_and_the_record": "Yes"},
        "edit": {"amount": "80"},
    }[form]  # fmt: skip
    if form == "edit":
        mia.submit(view, **fields)
        view, fields = mia.view("difference"), {}
    local.slack.team(users={MIA: {"teams": [THERE]}})
    mia.submit(view, **fields)
    mia.view("message", MEMBERS_ONLY)
    assert local.pending(approval_id)


def test_a_person_of_both_workspaces_is_a_member(local: Local) -> None:
    local.slack.team(users={EVE: {"teams": [THERE, HERE]}})
    approval_id = local.ask()
    local.person(EVE).click(local.card(approval_id), "approve")
    assert local.server.approvals.get(approval_id).decision
