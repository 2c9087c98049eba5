"""The form that edits a payload, in pages, and what was typed into it; pure.

A payload with more fields than a view holds is edited in pages. A page begins after the last field of the
one before, and knows where those began; what was typed on the others is the caller's to keep.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from signoff.bot.forms.controls import ACTION, Control, control, hint, may_be_empty
from signoff.bot.forms.difference_view import difference_view
from signoff.bot.forms.entries import left_alone, refilled, typed
from signoff.bot.forms.leaves import Path, leaves, replaced
from signoff.bot.text.fold import fold, split
from signoff.bot.text.payload import elements, name_text, rows
from signoff.bot.text.text import Block, cut, length, line, literal, plain, rich, visible
from signoff.bot.text.views import BLOCK_CHARACTERS, chunks, modal, note, read_metadata
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.payload.schema import check

Values = Mapping[str, Any]
"""As `view.state.values` is: {block_id: {action_id: state}}."""
ONE_VIEW = 50_000
"""Bytes of a payload, escaped, that an editor can be shown whole again before it is approved."""
VIEW_BLOCKS = 60
"""Blocks of it there; the difference takes the rest of the 100."""
BLOCKS = 92
"""Fields of a page, with their errors and dividers: Slack takes 100 blocks a view."""
BYTES = 200_000
"""Of a page as JSON: Slack takes 250 KB, the rest of the view included."""
FIELDS = 1_000
"""Fields of a form: a schema may describe many more than the payload has. The others stay as they are."""
MESSAGE = 150


def controls(approval: Approval) -> dict[str, Control]:
    """The fields of the payload and of its schema, by the block_id that they have in the form."""
    editable = approval.editable
    names = editable if isinstance(editable, tuple) else ()
    found = islice(leaves(approval.request.json_schema, approval.payload), FIELDS)
    return {leaf.block_id: control(leaf, editable is True or leaf.path[0] in names) for leaf in found}


def can_edit(approval: Approval) -> bool:
    """True where the form has an input, and its result can be shown whole before it is approved.

    An edit approves what its last form shows, so a payload that is larger than one view is not edited here.
    """
    if not approval.editable or len(approval.payload_text) > ONE_VIEW:
        return False
    if len(json.dumps(visible(approval.payload_text))) > ONE_VIEW:
        return False
    whole = split(rows(approval.request.json_schema, approval.payload, whole=True), BLOCK_CHARACTERS)
    if sum(1 for _ in chunks(whole)) > VIEW_BLOCKS:
        return False
    return any(found.element for found in controls(approval).values())


def edit_view(
    approval: Approval,
    values: Values | None = None,
    *,
    errors: Mapping[str, str] | None = None,
    starts: tuple[int, ...] = (0,),
    form: str = "",
    above: tuple[Block, ...] = (),
) -> Block:
    """One page: an input a field; what cannot be edited stands as text and says why.

    `values` is what was typed so far, `errors` are by block_id. `starts` are the places, counted from 0, of
    the first fields of the pages so far, this one last; `form` names what is typed where it is kept.
    """
    found = list(controls(approval).items())
    first = min(starts[-1], max(len(found) - 1, 0))
    blocks, end = _page(found, first, values or {}, errors or {}, BLOCKS - len(above))
    whole = first == 0 and end == len(found)
    top = [] if whole else [note(forms_words.fields_of(first + 1, end, len(found)), "where")]
    left = forms_words.FIELDS_LEFT if len(found) == FIELDS and end == FIELDS else ""
    bottom = [note(left, "no-room")] if left else []
    if len(starts) > 1:
        value = f"{approval.id}:{approval.version}"
        back: Block = {
            "type": "button",
            "action_id": "edit_back",
            "text": plain(forms_words.BACK),
            "value": value,
        }
        bottom.append({"type": "actions", "block_id": "turn", "elements": [back]})
    more = end < len(found)
    shown = [*above, *top, *(blocks or [note(card_words.EMPTY_PAYLOAD)]), *bottom]
    kept = {"form": form, "starts": list(starts)} | ({"next": end} if more else {})
    submit = forms_words.NEXT if more else forms_words.SHOW_CHANGES
    return modal("edit", approval.action, shown, approval, submit, forms_words.CANCEL, **kept)


def _page(
    found: list[tuple[str, Control]], first: int, values: Values, errors: Mapping[str, str], most: int
) -> tuple[list[Block], int]:
    """The blocks of the page that begins with field `first`, and the field that the next one begins with."""
    blocks: list[Block] = []
    room = BYTES
    for index in range(first, len(found)):
        block_id, place = found[index]
        parts = _field_blocks(block_id, place, values, errors.get(block_id, ""))
        if index > first and _group(place) != _group(found[index - 1][1]):
            parts = [{"type": "divider"}, *parts]
        size = len(json.dumps(parts))
        if blocks and (size > room or len(blocks) + len(parts) > most):
            return blocks, index
        blocks, room = blocks + parts, room - size
    return blocks, len(found)


def _group(found: Control) -> Path:
    """The object that a field stands in."""
    return found.leaf.path if found.leaf.group else found.leaf.path[:-1]


def page_of_edit(view: Block) -> tuple[str, tuple[int, ...], int | None]:
    """(form, starts, the next page's start; None on the last) of an edit view; raises UnknownApproval."""
    kept = read_metadata(view)
    starts = tuple(at for at in kept.get("starts") or () if isinstance(at, int) and 0 <= at < FIELDS)
    following = kept.get("next")
    return str(kept.get("form") or ""), starts or (0,), following if isinstance(following, int) else None


def start_of(approval: Approval, block_id: str) -> tuple[int, ...]:
    """The `starts` of a page that begins with this field."""
    places = list(controls(approval))
    at = places.index(block_id) if block_id in places else 0
    return (0, at) if at else (0,)


def changed_values(approval: Approval, *pages: Values) -> dict[str, Any]:
    """What was typed on all pages, later ones last; without the fields that hold what the payload has."""
    form = controls(approval)
    merged = {block_id: state for values in pages for block_id, state in values.items() if block_id in form}
    return {
        block_id: state for block_id, state in merged.items() if not left_alone(form[block_id], _state(state))
    }


def typed_payload(approval: Approval, values: Values) -> dict[str, Any]:
    """The payload with all that can be read of what was typed, unchecked."""
    return replaced(approval.payload, _read(controls(approval), values)[0])


def page_errors(approval: Approval, values: Values) -> dict[str, str]:
    """What cannot be read of what was typed, by block_id."""
    return _read(controls(approval), values)[1]


def read_edit(
    approval: Approval, values: Values, here: Collection[str] = (), form: str = ""
) -> tuple[dict[str, Any], dict[str, str]]:
    """(the new payload, errors by block_id) of a form; `values` is what was typed on all its pages.

    What was left alone stays exactly as it is, and what was missing stays missing. With errors the payload
    is not to be used. `here` are the fields of the page that is open: errors of no field stand there. `form`
    names what is typed where that is kept.
    """
    places = controls(approval)
    found, errors = _read(places, values)
    payload = replaced(approval.payload, found)
    if not errors:
        errors = _faults(approval, payload, places, here or values)
    if not errors:
        try:
            difference_view(approval, payload, form)
        except Invalid as error:
            errors[_first(places, here or values)] = _message(error.detail)
    return payload, errors


def _read(form: Mapping[str, Control], values: Values) -> tuple[dict[Path, Any], dict[str, str]]:
    """(changed values by path, errors by block_id)."""
    found: dict[Path, Any] = {}
    errors: dict[str, str] = {}
    for block_id, place in form.items():
        state = _state(values.get(block_id))
        try:
            if not left_alone(place, state):
                found[place.leaf.path] = typed(place, state)
        except Invalid as error:
            errors[block_id] = _message(error.detail)
    return found, errors


def _state(actions: Any) -> Any:
    return actions.get(ACTION) if isinstance(actions, dict) else None


def _faults(
    approval: Approval, payload: dict[str, Any], form: dict[str, Control], here: Collection[str]
) -> dict[str, str]:
    """What is wrong with the payload as a whole: at its field where that has an input, else at the first."""
    first = _first(form, here)
    places = {place.leaf.path: block_id for block_id, place in form.items() if place.element}
    found: dict[str, str] = {}
    try:
        for problem in check(approval.request.json_schema, payload) if approval.request.json_schema else ():
            path = tuple(str(part) for part in problem.path)
            place = next((places[path[:n]] for n in range(len(path), 0, -1) if path[:n] in places), None)
            at_field = place is not None and form[place].leaf.path == path
            message = problem.message[0].upper() + problem.message[1:]
            found.setdefault(place or first, _message(message if at_field else str(problem)))
        if not found and _same(payload, approval.payload):
            found[first] = forms_words.NOTHING_CHANGED
    except Invalid as error:
        found[first] = _message(error.detail)
    return found


def _first(form: Mapping[str, Control], here: Collection[str]) -> str:
    """Where errors of no field stand: the first input of the page that is open."""
    inputs = [block_id for block_id, place in form.items() if place.element]
    return next((block_id for block_id in inputs if block_id in here), (inputs or ["field:0"])[0])


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Python's == holds True and 1 for equal, which JSON does not."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _message(text: str) -> str:
    return cut(visible(text), MESSAGE)


def _field_blocks(block_id: str, found: Control, values: Values, error: str) -> list[Block]:
    name = cut(" › ".join(name_text(part) for part in found.leaf.path), 150)
    element = refilled(found, _state(values.get(block_id)))
    if element is None:
        return [_as_text(block_id, name, found)]
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(name),
        "element": element,
        "optional": may_be_empty(found),
    }
    under = hint(found)
    block |= {"hint": plain(under)} if under else {}
    return [note(_message(error)), block] if error else [block]


def _as_text(block_id: str, name: str, found: Control) -> Block:
    """A field without an input: its beginning, and why it stays."""
    field = found.field
    schema, value = field.schema, field.value
    for part in reversed(found.leaf.path):
        schema, value = {"type": "object", "properties": {part: schema}}, {part: value}
    shown = fold(rows(schema, value), 600, 8) if field.present and length(name) < 100 else None
    parts = elements(shown.rows) if shown else []
    parts = parts or [line(literal(name, "bold"))]
    more = " …" if shown and shown.lines else ""
    return rich(block_id, *parts, line(literal(f"{more} ({found.why_not})".strip(), "italic")))
