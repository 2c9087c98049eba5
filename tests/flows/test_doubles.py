"""Cards whose post was never confirmed are found where Slack lets us; doubles have no buttons, beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.local import SHARED, Local, local_bot
from flows.person import ANA, buttons, cards, text_of
from sqlalchemy import text
from support import a_request, eventually

from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.models import doubles
from signoff.models.doubles import Place
from signoff.sandbox.workspace import DEFAULT_SCOPES

HISTORY = ("channels:history", "groups:history", "im:history")


@pytest.fixture
def local(tmp_path: Path, redis_url: str, transport: str) -> Iterator[Local]:
    """A bot that may read its conversations."""
    with local_bot(tmp_path, redis_url, transport=transport) as found:
        found.slack.team(bot={"scopes": [*DEFAULT_SCOPES, *HISTORY]})
        yield found


def shown(local: Local, approval_id: str) -> list[dict[str, Any]]:
    return cards(local.slack, approval_id, SHARED)


def lose(local: Local, *methods: str, **fields: Any) -> str:
    """A request whose card is posted, while nobody hears that it was; its id."""
    for method in methods:
        local.slack.faults(method=method, mode="drop_reply")
    approval = local.server.approvals.submit("billing-bot", a_request(**fields))
    for _ in (*methods, ""):
        local.deliver(approval.id)
        with local.server.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET not_before = 0"))
    return str(approval.id)


def test_a_card_whose_answer_was_lost_is_found_and_stands_once(local: Local) -> None:
    approval_id = lose(local, "chat.postMessage")
    (only,) = shown(local, approval_id)
    local.person(ANA).click(only, "approve")
    local.deliver(approval_id)
    assert not local.pending(approval_id) and not buttons(shown(local, approval_id)[0])


def test_in_a_runs_thread_first_message_and_card_are_found(local: Local) -> None:
    approval_id = lose(local, "chat.postMessage", "chat.postMessage", run="nightly")
    (only,) = shown(local, approval_id)
    tops = [m for m in local.slack.messages(SHARED) if "nightly" in str(m["blocks"])]
    assert len(tops) == 1 and only["thread_ts"] == tops[0]["ts"]


def test_without_the_scopes_it_is_posted_again(local: Local) -> None:
    local.slack.team(bot={"scopes": list(DEFAULT_SCOPES)})
    assert len(shown(local, lose(local, "chat.postMessage"))) == 2


def test_another_apps_message_with_our_metadata_is_never_taken_for_the_card(local: Local) -> None:
    local.slack.faults(method="chat.postMessage", mode="error", error="internal_error")
    approval = local.server.approvals.submit("billing-bot", a_request())
    workspace = local.slack._service.workspace
    about = {"event_type": "signoff_approval", "event_payload": {"approval_id": approval.id, "version": 1}}
    theirs = workspace.post(workspace.team.channels[SHARED], "Approved, all of it", metadata=about)
    workspace.replace(SHARED, {**theirs, "bot_id": "B0OTHER001", "app_id": "A0OTHER001"})
    for _ in range(2):
        local.deliver(approval.id)
        with local.server.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET not_before = 0"))
    found = local.server.approvals.get(approval.id)
    assert found.card and found.card.message not in (None, theirs["ts"])
    assert workspace.message(SHARED, theirs["ts"])["text"] == "Approved, all of it"


@pytest.mark.parametrize("button", ["reject", "edit"])
def test_whoever_opens_a_form_on_a_double_sees_where_the_card_stands(local: Local, button: str) -> None:
    approval_id = local.ask()
    (card,) = shown(local, approval_id)
    posted = local.server.slack.post(SHARED, card["text"], card["blocks"], metadata=card["metadata"])
    double = next(m for m in shown(local, approval_id) if m["ts"] == posted.ts)
    local.person(ANA).click(double, button)

    def redrawn() -> bool:
        now = next(m for m in shown(local, approval_id) if m["ts"] == posted.ts)
        return not buttons(now) and card["ts"].replace(".", "") in text_of(now)

    eventually(redrawn)
    assert local.pending(approval_id)
    assert buttons(next(m for m in shown(local, approval_id) if m["ts"] == card["ts"]))


def test_a_double_that_is_gone_or_cannot_be_redrawn_now_holds_up_nothing(local: Local) -> None:
    server, approval_id = local.server, local.ask()
    (card,) = shown(local, approval_id)
    posted = server.slack.post(SHARED, card["text"], card["blocks"], metadata=card["metadata"])
    with server.store.transaction() as connection:
        doubles.add(connection, approval_id, Place(SHARED, "1.000001"))
        doubles.add(connection, approval_id, Place(SHARED, posted.ts))
        doubles.add(connection, approval_id, Place(SHARED, card["ts"]))  # it became the card meanwhile
    local.slack.faults(method="chat.update", mode="error", error="internal_error", about=posted.ts)
    delivery = Delivery(server.approvals, server.slack, Admins(server.slack, ()))
    delivery.redraw_doubles()
    with server.store.transaction() as connection:
        connection.execute(text("UPDATE card_double SET not_before = 0"))
    delivery.redraw_doubles()
    assert doubles.of(server.store, approval_id) == []
    open_ones = [m["ts"] for m in shown(local, approval_id) if buttons(m)]
    assert open_ones == [card["ts"]]


def twins(local: Local) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """An approval's id, its card, and a message that reads the same and that nobody knows of."""
    approval_id = local.ask()
    (card,) = shown(local, approval_id)
    posted = local.server.slack.post(SHARED, card["text"], card["blocks"], metadata=card["metadata"])
    return approval_id, card, next(m for m in shown(local, approval_id) if m["ts"] == posted.ts)


def is_neutral(local: Local, approval_id: str, double: dict[str, Any]) -> bool:
    return not buttons(next(m for m in shown(local, approval_id) if m["ts"] == double["ts"]))


@pytest.mark.parametrize("button", ["reject", "edit", "approve"])
def test_a_double_pressed_while_slack_takes_no_edit_is_redrawn_later(local: Local, button: str) -> None:
    approval_id, _, double = twins(local)
    local.slack.faults(method="chat.update", mode="error", error="internal_error", about=double["ts"])
    local.person(ANA).click(double, button)
    noted = Place(SHARED, double["ts"])
    eventually(lambda: noted in doubles.of(local.server.store, approval_id))
    delivery = Delivery(local.server.approvals, local.server.slack, Admins(local.server.slack, ()))
    delivery.redraw_doubles()
    assert is_neutral(local, approval_id, double)


@pytest.mark.parametrize("button", ["reject", "edit", "approve"])
def test_a_message_pressed_before_anybody_knows_which_is_the_card_is_redrawn_once_it_is(
    local: Local, button: str
) -> None:
    approval_id, card, double = twins(local)
    with local.server.store.transaction() as connection:
        connection.execute(text("UPDATE card SET message = NULL"))
    local.person(ANA).click(double, button)
    eventually(lambda: Place(SHARED, double["ts"]) in doubles.of(local.server.store, approval_id))
    with local.server.store.transaction() as connection:
        connection.execute(text("UPDATE card SET message = :ts"), {"ts": card["ts"]})
    delivery = Delivery(local.server.approvals, local.server.slack, Admins(local.server.slack, ()))
    delivery.redraw_doubles()
    assert is_neutral(local, approval_id, double)
