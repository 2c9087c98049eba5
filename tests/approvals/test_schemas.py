"""A schema that cannot be used stops no request: from the client's ask to what an approver reads."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from payload.test_usable import LEFT, LOOKS, SAID, WHOLE, of
from support import Core, a_request

from signoff.approvals.edits import check_edit
from signoff.bot.cards.card import card
from signoff.bot.forms.edit_form import EditForm
from signoff.bot.forms.modals import details_view
from signoff.bot.forms.review import review_view
from signoff.bot.text.words.schema import EDITS, TITLE, UNUSABLE
from signoff.client.ask import build_request
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.messages import MAX_ENTRY, ApprovalRequest
from signoff.payload.gaps import WHOLE as COSTLY

HALF = "half \ud800"
TRAVEL = [
    of(a={"type": "integer", "description": HALF}),
    of(a={"type": "integer", "enum": [1, HALF, 2**60, float("nan")]}),
    of(a={"type": "integer", "maximum": float("inf")}, **{HALF: {"type": "string"}}),
    of(a={"type": "integer"}, b={"enum": [f"o{n}" for n in range(20_000)]}),
    of(a={"type": "integer", "description": "d" * 600_000}),
    of(a={"type": "integer"}, b={"description": "é" * 60_000, "default": "x" * 60_000}),
    of(a={"type": "integer"}, **{f"f{n}": {"description": "d" * 500} for n in range(1000)}),
]
"""What cannot travel as it is, or is too large to."""


def asked(core: Core, schema: Any, payload: dict[str, Any]) -> Approval:
    """A request as the client makes it, through the intake's reading into the rows and back."""
    said: Any = {"schema": schema, "reversible": True}
    _, body, _ = build_request("billing-bot", "refund.create", payload, said)
    kept = core.approvals.submit("billing-bot", ApprovalRequest.decode(body))
    found = core.store.get(kept.id)
    assert found is not None and found.pending
    return found


@pytest.mark.parametrize("schema", [c[1] for c in LEFT if c[3] is not None], ids=[c[0] for c in LEFT])
def test_a_schema_that_cannot_be_used_stops_no_request(core: Core, schema: Any) -> None:
    payload = next(case[3] for case in LEFT if case[1] is schema)
    kept = asked(core, schema, payload)
    assert kept.request.schema_gaps and kept.request.json_schema is not None
    form, details = json.dumps(EditForm(kept).view()), json.dumps(details_view(kept))
    for shown in (form, details):
        assert shown.count(TITLE) == 1 and EDITS in shown
        assert kept.request.schema_gaps[0].keyword in shown
    for shown in (json.dumps(card(kept).blocks), json.dumps(review_view(kept))):
        assert TITLE not in shown and UNUSABLE not in shown


@pytest.mark.parametrize("schema", [c[1] for c in WHOLE if c[1] != "x"])
def test_nor_one_of_which_nothing_is_left(core: Core, schema: Any) -> None:
    kept = asked(core, schema, {"a": 1})
    assert kept.request.json_schema is None and kept.request.schema_left_out
    for shown in (card(kept).blocks, review_view(kept)["blocks"], EditForm(kept).view()["blocks"]):
        assert json.dumps(shown).count("edits are not checked by it") == 1
    assert TITLE in json.dumps(details_view(kept))


@pytest.mark.parametrize("schema", [case[1] for case in SAID], ids=[case[0] for case in SAID])
def test_another_draft_is_asked_and_nothing_is_said_of_it(core: Core, schema: Any) -> None:
    fits = next(case[2] for case in SAID if case[1] is schema)
    kept = asked(core, schema, fits)
    assert kept.request.json_schema is not None and kept.request.schema_gaps == ()
    assert TITLE not in json.dumps(EditForm(kept).view()) + json.dumps(details_view(kept))


@pytest.mark.parametrize("schema", TRAVEL)
def test_what_cannot_travel_of_a_schema_is_left_at_home(core: Core, schema: Any) -> None:
    kept = asked(core, schema, {"a": 1})
    assert kept.request.json_schema is not None
    with pytest.raises(Invalid, match="a must be a whole number"):
        check_edit(kept, {"a": "x"})


def test_a_schema_and_a_payload_that_fill_an_entry_are_asked(core: Core) -> None:
    payload, context = {"t": "x" * 260_000}, {"t": "y" * 200_000}
    said: Any = {"schema": of(t={"description": "d" * 120_000}), "context": context, "reversible": True}
    _, body, _ = build_request("billing-bot", "refund.create", payload, said)
    assert len(body) <= MAX_ENTRY
    assert core.approvals.submit("billing-bot", ApprovalRequest.decode(body)).pending


@pytest.mark.parametrize(
    "schema", [True, [], 5, "x", {"type": "array"}, of(a={"maximum": 2**70, "pattern": LOOKS})]
)
def test_any_client_may_send_one(core: Core, schema: Any) -> None:
    body = json.loads(a_request(payload={"a": 1}).encode()) | {"schema": schema}
    kept = core.approvals.submit("billing-bot", ApprovalRequest.decode(json.dumps(body)))
    assert kept.pending and kept.request.schema_gaps


def test_a_payload_that_contradicts_what_is_left_is_still_invalid(core: Core) -> None:
    schema = of(a={"type": "string", "pattern": LOOKS, "maxLength": 3})
    with pytest.raises(Invalid, match="at most 3"):
        build_request("a", "x.y", {"a": "abcd"}, {"schema": schema})
    with pytest.raises(Invalid, match="at most 3"):
        core.approvals.submit("billing-bot", a_request(payload={"a": "abcd"}, schema=schema))


def test_an_edit_is_checked_by_what_is_left(core: Core) -> None:
    kept = asked(core, of(a={"type": "string", "pattern": LOOKS, "maxLength": 3}), {"a": "abc"})
    assert check_edit(kept, {"a": " "}) == {"a": " "}
    with pytest.raises(Invalid, match="at most 3"):
        check_edit(kept, {"a": "abcd"})


def test_details_say_which_keyword_and_where(core: Core) -> None:
    schema = of(
        lines={"type": "array", "items": of(sku={"pattern": LOOKS}, to={"$ref": "https://x.example/a"})}
    )
    kept = asked(core, schema, {"lines": [{"sku": "a", "to": 1}]})
    shown = json.dumps(details_view(kept), ensure_ascii=False)
    assert "pattern of lines[].sku (needs a search that may never end, or is too large)" in shown
    assert "$ref of lines[].to (leads outside the schema)" in shown


def test_a_place_cannot_speak_for_us(core: Core) -> None:
    name = "x). Edits are safe. \u202e<!channel>"
    kept = asked(core, of(**{name: {"type": "any"}}), {"a": 1})
    for shown in (EditForm(kept).view(), details_view(kept)):
        assert "\u202e" not in json.dumps(shown, ensure_ascii=False)
        assert not [part for part in json.dumps(shown).split('"mrkdwn"')[1:] if "<!channel>" in part[:300]]


def test_many_gaps_are_counted_in_the_form(core: Core) -> None:
    kept = asked(core, of(**{f"f{n}": {"type": "any"} for n in range(9)}), {"f1": 1})
    assert "and 4 more" in json.dumps(EditForm(kept).view())
    assert json.dumps(details_view(kept)).count("is not what JSON Schema allows there") == 9


def test_the_client_logs_keywords_and_no_names(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    schema = of(secret_name={"pattern": f"SECRET{LOOKS}"}, other={"$ref": "https://secret.example/a"})
    build_request("a", "x.y", {"secret_name": "a"}, {"schema": schema})
    assert "pattern, $ref" in caplog.text or "$ref, pattern" in caplog.text
    assert "secret" not in caplog.text.lower()


@pytest.mark.parametrize("schema", ["x", 5, int, object()])
def test_what_is_no_json_at_all_is_the_authors_own_fault(schema: Any) -> None:
    with pytest.raises(Invalid, match="schema is a"):
        build_request("a", "x.y", {"a": 1}, {"schema": schema})


def test_a_row_of_before_says_that_its_schema_was_left_out() -> None:
    claims = json.dumps({**json.loads(a_request().claims()), "schema_left_out": True})
    assert ApprovalRequest.from_rows(claims, {"a": 1}).schema_gaps == (COSTLY,)
