"""The form that edits a payload, and what was typed into it; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from signoff.bot import words
from signoff.bot.controls import ABSENT, ACTION, Control, control, hint, may_be_empty, typed
from signoff.bot.difference_view import difference_view
from signoff.bot.payload import elements, fold, name_text, rows, split
from signoff.bot.text import Block, cut, length, line, literal, plain, rich, visible
from signoff.bot.views import BLOCK_CHARACTERS, chunks, modal, note
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.schema import check, fields

ONE_VIEW = 50_000
"""Bytes of a payload, escaped, that an editor can be shown whole again before it is approved."""
VIEW_BLOCKS = 60
"""Blocks of it there; the difference takes the rest of the 100."""
BLOCKS = 95
"""Fields of a form, with their errors: Slack takes 100 blocks a view."""
BYTES = 200_000
"""Of the form as JSON: Slack takes 250 KB, the rest of the view included."""
MESSAGE = 150


def controls(approval: Approval) -> dict[str, Control]:
    """Every field of the payload and of its schema, by the block_id that it has in the form."""
    editable = approval.request.editable
    found = fields(approval.request.json_schema, approval.payload)
    names = editable if isinstance(editable, tuple) else ()
    return {
        f"field:{index}": control(field, editable is True or field.name in names)
        for index, field in enumerate(found)
    }


def can_edit(approval: Approval) -> bool:
    """True where the form has an input, and its result can be shown whole before it is approved.

    An edit approves what its last form shows, so a payload that is larger than one view is not edited here.
    """
    if not approval.request.editable or len(approval.payload_text) > ONE_VIEW:
        return False
    if len(json.dumps(visible(approval.payload_text))) > ONE_VIEW:
        return False
    whole = split(rows(approval.request.json_schema, approval.payload, whole=True), BLOCK_CHARACTERS)
    if sum(1 for _ in chunks(whole)) > VIEW_BLOCKS:
        return False
    return any(found.element for found in controls(approval).values())


def edit_view(approval: Approval, errors: Mapping[str, str] | None = None) -> Block:
    """One input a field; what cannot be edited stands as text and says why. `errors` are by block_id."""
    blocks: list[Block] = []
    room = BYTES
    left_out = 0
    for block_id, found in controls(approval).items():
        parts = _field_blocks(block_id, found, (errors or {}).get(block_id, ""))
        size = len(json.dumps(parts))
        if left_out or size > room or len(blocks) + len(parts) > BLOCKS:
            left_out += 1
            continue
        blocks, room = blocks + parts, room - size
    if left_out:
        blocks.append(note(words.no_room(left_out), "no-room"))
    submit = words.SHOW_CHANGES
    return modal(
        "edit", approval.action, blocks or [note(words.EMPTY_PAYLOAD)], approval, submit, words.CANCEL
    )


def read_edit(approval: Approval, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """(the new payload, errors by block_id) of a submitted form; `values` is its `view.state.values`.

    What was left alone stays exactly as it is, and what was missing stays missing. With errors the payload
    is not to be used.
    """
    form = controls(approval)
    payload = dict(approval.payload)
    errors: dict[str, str] = {}
    for block_id, found in form.items():
        try:
            value = typed(found, (values.get(block_id) or {}).get(ACTION))
        except Invalid as error:
            errors[block_id] = _message(error.detail)
            continue
        if value is ABSENT:
            payload.pop(found.field.name, None)
        elif not found.field.present or value is not found.field.value:
            payload[found.field.name] = value
    if not errors:
        errors = _faults(approval, payload, form, values)
    return payload, errors


def _faults(
    approval: Approval, payload: dict[str, Any], form: dict[str, Control], values: Mapping[str, Any]
) -> dict[str, str]:
    """What is wrong with the payload as a whole: at its field where that has an input, else at the first."""
    inputs = [name for name, found in form.items() if found.element and name in values]
    first = inputs[0] if inputs else "field:0"
    places = {form[name].field.name: name for name in inputs}
    found: dict[str, str] = {}
    try:
        for problem in check(approval.request.json_schema, payload) if approval.request.json_schema else ():
            top = places.get(str(problem.path[0])) if problem.path else None
            text = problem.message if top and len(problem.path) == 1 else str(problem)
            found.setdefault(top or first, _message(text[0].upper() + text[1:]))
        if not found and payload == approval.payload and _same(payload, approval.payload):
            found[first] = words.NOTHING_CHANGED
        if not found:
            difference_view(approval, payload)
    except Invalid as error:
        found[first] = _message(error.detail)
    return found


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Python's == holds True and 1 for equal, which JSON does not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _message(text: str) -> str:
    return cut(visible(text), MESSAGE)


def _field_blocks(block_id: str, found: Control, error: str) -> list[Block]:
    name = cut(name_text(found.field.name), 100)
    if found.element is None:
        return [_as_text(block_id, name, found)]
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(name),
        "element": found.element,
        "optional": may_be_empty(found),
    }
    under = hint(found)
    block |= {"hint": plain(under)} if under else {}
    return [note(_message(error)), block] if error else [block]


def _as_text(block_id: str, name: str, found: Control) -> Block:
    """A field without an input: its beginning, and why it stays."""
    field = found.field
    schema = {"properties": {field.name: field.schema}}
    shown = fold(rows(schema, {field.name: field.value}), 600, 8) if field.present else None
    parts = elements(shown.rows) if shown and length(name) < 100 else []
    parts = parts or [line(literal(name, "bold"))]
    more = " …" if shown and shown.lines else ""
    return rich(block_id, *parts, line(literal(f"{more} ({found.why_not})".strip(), "italic")))
