"""The form that edits, through a real server: pages, a long enum, moments, and somebody who was faster."""

from __future__ import annotations

from typing import Any

import pytest
from flows.person import ANA, BEN, Someone, card, redrawn, text_of
from flows.road import Road
from sqlalchemy import text as sql
from support import eventually

from signoff import Ticket
from signoff.models.drafts import Drafts

WIDE = {f"f{n:03}": n for n in range(150)}
REGIONS = [f"region-{n:03}" for n in range(250)]


def ask(road: Road, payload: dict[str, Any], **fields: Any) -> Ticket:
    return road.agent("form-bot").request("deploy.start", payload, reversible=True, **fields)


def labels(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["label"]["text"]: block for block in view["blocks"] if block["type"] == "input"}


def drafts(road: Road, approval_id: str) -> int:
    with road.store.reading() as connection:
        counted = sql("SELECT count(*) FROM draft WHERE approval_id = :id")
        return int(connection.execute(counted, {"id": approval_id}).scalar_one())


def test_a_form_of_two_pages_keeps_what_was_typed_there_and_back(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    ticket = ask(road, WIDE)
    ana.click(card(road.slack, ticket.id), "edit")
    first = ana.view("edit", "Fields 1 to")
    ana.submit(first, f000="7")
    second = ana.view("edit", "of 150", "Back")
    assert "f149" in labels(second) and "f000" not in labels(second)
    state = {labels(second)["f149"]["block_id"]: {"value": {"value": "9"}}}
    assert road.slack.act(
        type="click", user=ANA, view_id=second["id"], action_id="edit_back", state=state
    )["ok"]  # fmt: skip
    again = ana.view("edit", "Fields 1 to")
    assert labels(again)["f000"]["element"]["initial_value"] == "7"
    ana.submit(again, f001="8")
    ana.submit(ana.view("edit", "Fields 93 to"), f149="9")
    difference = ana.view("difference", "f000", "f001", "f149")
    assert drafts(road, ticket.id) == 1
    ana.submit(difference)
    assert ticket.wait(60).payload == WIDE | {"f000": 7, "f001": 8, "f149": 9}
    redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>")
    road.move(ticket.id, ended_at=road.store.clock() - 3_601_000_000)
    eventually(lambda: drafts(road, ticket.id) == 0, 20)


def test_all_pages_are_shown_to_who_was_overtaken_long_ago(either_road: Road) -> None:
    road, ana, ben = either_road, Someone(either_road.slack, ANA), Someone(either_road.slack, BEN)
    ticket = ask(road, WIDE)
    message = card(road.slack, ticket.id)
    ben.click(message, "edit")
    ben.submit(ben.view("edit", "Fields 1 to"), f000="7")
    second = ben.view("edit", "Back")
    ana.reject(message, "Not today")
    Drafts(road.store).clear()  # as a sweep does, a moment later
    ben.submit(second, f149="9")
    told = text_of(ben.view("message", "rejected this", "What you had typed was not used"))
    assert "f000" in told and "f149" in told


def test_an_error_on_another_page_is_shown_there(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    schema = {"type": "object", "properties": {"f000": {"type": "integer", "multipleOf": 5}}}
    ticket = ask(road, WIDE, schema=schema)
    ana.click(card(road.slack, ticket.id), "edit")
    ana.submit(ana.view("edit", "Fields 1 to"), f000="7")
    ana.submit(ana.view("edit", "Fields 93 to"), f149="9")
    first = ana.view("edit", "Fields 1 to", "Must be a multiple of 5")
    assert labels(first)["f000"]["element"]["initial_value"] == "7"


@pytest.mark.http
def test_a_value_among_hundreds_is_found_by_typing(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    schema = {"type": "object", "properties": {"region": {"enum": REGIONS}}}
    ticket = ask(road, {"region": "region-001"}, schema=schema)
    ana.click(card(road.slack, ticket.id), "edit")
    view = ana.view("edit")
    found = road.slack.act(type="suggest", user=ANA, view_id=view["id"], action_id="value", value="ion-24")
    assert [o["text"]["text"] for o in found["options"]] == REGIONS[240:]
    ana.submit(view, region=found["options"][9])
    ana.submit(ana.view("difference", "region-001", "region-249"))
    assert ticket.wait(60).payload == {"region": "region-249"}


def test_a_nested_object_and_a_moment_are_edited_as_fields(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    payload = {"window": {"start": "2026-12-01T09:00:00+02:00", "hosts": ["web-1", "web-2"]}}
    window = {"type": "object", "required": ["start", "hosts"], "properties": {
        "start": {"type": "string", "format": "date-time"},
        "hosts": {"type": "array", "items": {"type": "string"}},
    }}  # fmt: skip
    schema = {"type": "object", "required": ["window"], "properties": {"window": window}}
    ticket = ask(road, payload, schema=schema)
    ana.click(card(road.slack, ticket.id), "edit")
    view = ana.view("edit")
    start = labels(view)["window › start"]
    state = {
        start["block_id"]: {"value": {"selected_date_time": start["element"]["initial_date_time"] + 3600}},
        labels(view)["window › hosts"]["block_id"]: {"value": {"value": "web-1\nweb-3"}},
    }
    assert road.slack.act(type="submit", user=ANA, view_id=view["id"], state=state)["acked"]
    ana.submit(ana.view("difference"))
    assert ticket.wait(60).payload == {
        "window": {"start": "2026-12-01T10:00:00+02:00", "hosts": ["web-1", "web-3"]}
    }


@pytest.mark.parametrize("late", ["edit", "difference"])
def test_who_was_overtaken_is_told_by_whom_and_what_and_keeps_what_they_typed(road: Road, late: str) -> None:
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    ticket = ask(road, {"amount": 120})
    message = card(road.slack, ticket.id)
    ben.click(message, "edit")
    form = ben.view("edit")
    if late == "difference":
        ben.submit(form, amount="90")
    ana.click(message, "edit")
    ana.submit(ana.view("edit"), amount="80")
    ana.submit(ana.view("difference", "80"))
    assert ticket.wait(60).payload == {"amount": 80}
    if late == "edit":
        ben.submit(form, amount="90")
    else:
        ben.submit(ben.view("difference", "90"))
    told = text_of(ben.view("message", f"<@{ANA}> approved this"))
    assert "with other changes. Nothing else happened." in told
    changed, _, unused = told.partition("What you had typed was not used:")
    assert "→ \n80" in changed and "→ \n90" in unused
    assert road.decisions(ticket.id) == 1
