"""The form that edits a payload, in pages, and what was entered in it; pure.

A payload with more fields than a view holds is edited in pages. A page begins after the last field of the
one before, and knows where those began; what was entered on all of them is the caller's to keep, as a draft.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

from signoff.bot.forms.difference_view import difference_view
from signoff.bot.forms.inputs import Fixed, Input
from signoff.bot.forms.leaves import Path, places_left, replaced
from signoff.bot.forms.places import FIELDS, as_text, label, nearest, places_of, same_item
from signoff.bot.forms.way_back import back_of, with_back
from signoff.bot.text.fold import split
from signoff.bot.text.meaning import code_of
from signoff.bot.text.payload import rows
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, cut, glimpse, visible
from signoff.bot.text.views import (
    BLOCK_CHARACTERS,
    asks,
    chunks,
    draft_of,
    modal,
    note,
    page_back,
    read_metadata,
    state_of,
)
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import meaning as meaning_words
from signoff.bot.text.words.schema import unchecked, unusable
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical
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
MESSAGE = 150
HINT = 1000
"""Characters; Slack takes 2,000 of a label or a hint, and they stand in every form of every payload."""


def can_edit(approval: Approval, shown: Sequence[Row] | None = None) -> bool:
    """True where the form has an input, and its result can be shown whole before it is approved.

    An edit approves what its last form shows, so a payload that is larger than one view is not edited here.
    `shown` are the rows of all of it, where the caller has them: to make them takes longest.
    """
    if not approval.editable or len(approval.payload_text) > ONE_VIEW:
        return False
    if len(json.dumps(visible(approval.payload_text))) > ONE_VIEW:
        return False
    if shown is None or any(row.partial for row in shown):  # bytes that the caller only describes
        shown = list(rows(approval.request.json_schema, approval.payload, whole=True))
    if sum(1 for _ in islice(chunks(split(shown, BLOCK_CHARACTERS)), VIEW_BLOCKS + 1)) > VIEW_BLOCKS:
        return False
    return any(not isinstance(place, Fixed) for place in places_of(approval))


@dataclass(frozen=True)
class EditForm:
    """A form that somebody fills in.

    `entered` is what they have changed so far on all its pages, by block_id. `starts` are the places, counted
    from 0, of the first fields of the pages so far, the open one last; `following` is where the next one
    begins, and `here` what stands on the open one. `back` is where it leads at its end, see `way_back`.
    """

    approval: Approval
    draft_id: str = ""
    entered: Mapping[str, Any] = field(default_factory=dict)
    starts: tuple[int, ...] = (0,)
    following: int | None = None
    here: frozenset[str] = frozenset()
    back: str = ""

    @classmethod
    def read(cls, view: Block, approval: Approval, draft: Mapping[str, Any]) -> EditForm:
        """The form that a view shows, with what its draft keeps; raises UnknownApproval."""
        kept = read_metadata(view)
        form = cls(approval, draft_of(view), draft, tuple(kept.get("starts") or (0,)), kept.get("following"))
        form = replace(form, back=back_of(view))
        return form.enter((view.get("state") or {}).get("values") or {})

    def enter(self, values: Values) -> EditForm:
        """The form with what stands on the page that is open; what was put back is no change."""
        entered = dict(self.entered)
        for block_id in values.keys() & self.inputs.keys():
            if state := state_of(values, block_id):
                entered[block_id] = self.inputs[block_id].entered(state)
        changed = {
            name: entered[name]
            for name, place in self.inputs.items()
            if name in entered and entered[name] != place.start
        }
        return replace(self, entered=changed, here=frozenset(values))

    def on(self, approval: Approval) -> EditForm:
        """The same on another payload, from its first page; what no longer fits its input is dropped."""
        form = EditForm(approval, self.draft_id, back=self.back)
        kept = {
            name: entered
            for name, entered in self.entered.items()
            if name in form.inputs
            and form.inputs[name].is_like(self.inputs[name])
            and same_item(self.approval.payload, approval.payload, self.inputs[name].path)
        }
        return replace(form, entered=kept)

    @cached_property
    def places(self) -> dict[str, Input | Fixed]:
        """The fields of the payload and of its schema, by block_id."""
        return {place.block_id: place for place in places_of(self.approval)}

    @cached_property
    def inputs(self) -> dict[str, Input]:
        """Those of them that can be changed."""
        return {name: place for name, place in self.places.items() if isinstance(place, Input)}

    @cached_property
    def _read(self) -> tuple[dict[Path, Any], dict[str, str]]:
        found: dict[Path, Any] = {}
        errors: dict[str, str] = {}
        for block_id, entered in self.entered.items():
            place = self.inputs[block_id]
            try:
                found[place.path] = place.value(entered)
            except Invalid as error:
                errors[block_id] = _message(error.detail)
        return found, errors

    @cached_property
    def payload(self) -> dict[str, Any]:
        """The payload with all that can be read of what was entered, unchecked.

        What was left alone stays exactly as it is, and what was missing stays missing.
        """
        return replaced(self.approval.payload, self._read[0])

    @property
    def unreadable(self) -> dict[str, str]:
        """What cannot be read of what was entered, by block_id."""
        return self._read[1]

    @cached_property
    def errors(self) -> dict[str, str]:
        """All that stands against the payload, by block_id; with one it is not to be used."""
        return self.unreadable or self._faults()

    @cached_property
    def difference(self) -> Block:
        """What changes, as the view that approves it; raises Invalid where that is too much."""
        return with_back(difference_view(self.approval, self.payload, self.draft_id), self.back)

    def _faults(self) -> dict[str, str]:
        """What is wrong with the whole payload: at its field where that has an input, else at the first."""
        places = {place.path: name for name, place in self.inputs.items()}
        first = next((name for name in places.values() if name in self.here), None)
        first = first or next(iter(places.values()), "field:0")
        schema, found = self.approval.request.json_schema, dict[str, str]()
        try:
            for problem in check(schema, self.payload) if schema else ():
                path = places_left(self._read[0], problem.path)
                at = nearest(path, places)
                message = problem.message[0].upper() + problem.message[1:]
                message = message if at == path else str(replace(problem, path=path))
                found.setdefault(places.get(at, first), _message(message))
            if not found and canonical(self.payload) == self.approval.payload_text:
                found[first] = forms_words.NOTHING_CHANGED
            if not found:
                _ = self.difference
        except Invalid as error:
            found[first] = _message(error.detail)
        return found

    def view(
        self,
        *,
        starts: tuple[int, ...] = (0,),
        errors: Mapping[str, str] | None = None,
        above: tuple[Block, ...] = (),
    ) -> Block:
        """A page: an input a field; what cannot be edited stands as text and says why.

        `starts` are as they are in the form; with `errors`, the page begins with the field of the first.
        """
        count, approval = len(self.places), self.approval
        if errors:
            starts = tuple(sorted({0, list(self.places).index(next(iter(errors)))}))
        first = min(starts[-1], max(count - 1, 0))
        blocks, end = self._page(first, errors or {}, BLOCKS - len(above))
        whole = first == 0 and end == count
        top = [] if whole else [note(forms_words.fields_of(first + 1, end, count), "where")]
        if gaps := self.approval.request.schema_gaps:
            left = self.approval.request.schema_left_out
            top.append(note(unusable(gaps) if left else visible(unchecked(gaps)), "schema"))
        bottom = [note(forms_words.FIELDS_LEFT, "no-room")] if count == end == FIELDS else []
        bottom += [page_back("edit_back", approval)] if len(starts) > 1 else []
        shown = [*above, *top, *(blocks or [note(card_words.EMPTY_PAYLOAD)]), *bottom]
        kept = {"draft": self.draft_id, "starts": starts, "following": end if end < count else None}
        submit = forms_words.NEXT if end < count else forms_words.SHOW_CHANGES
        view = modal("edit", approval.action, shown, approval, submit, forms_words.CANCEL, **kept)
        return with_back(view, self.back)

    def _page(self, first: int, errors: Mapping[str, str], most: int) -> tuple[list[Block], int]:
        """The blocks of the page that begins with field `first`, and where the next one begins."""
        blocks: list[Block] = []
        room, group = BYTES, None
        for index, place in enumerate(islice(self.places.values(), first, None), first):
            parts = list(self._field_blocks(place, errors.get(place.block_id, "")))
            if blocks and place.object != group:
                parts = [{"type": "divider"}, *parts]
            added = place.added
            if added and added != place.path and added != (group or ())[: len(added)]:
                head = note(forms_words.adds_item(label(added)), f"adds:{index}")
                parts[-1:] = [head, parts[-1]]
            size = len(json.dumps(parts))
            if blocks and (size > room or len(blocks) + len(parts) > most):
                return blocks, index
            blocks, room, group = blocks + parts, room - size, place.object
        return blocks, len(self.places)

    def _field_blocks(self, place: Input | Fixed, error: str) -> Iterator[Block]:
        name = label(place.path)
        if isinstance(place, Fixed):
            yield as_text(place)
            return
        if error:
            yield note(_message(error))
        if currency := self._currency(place):
            name = meaning_words.money(name, currency)
        element = place.drawn(self.entered.get(place.block_id, place.start))
        hint = cut(" ".join(place.hints), HINT)
        yield asks(place.block_id, name, element, hint, place.is_optional)

    def _currency(self, place: Input) -> str:
        """The currency of an amount, as it was entered so far; empty where that cannot be said."""
        beside = place.meaning.currency_field
        if not beside:
            return ""
        for block_id in self.entered:
            other = self.inputs[block_id]
            if other.path == (*place.path[:-1], beside):
                now = self._read[0].get(other.path)
                return code_of(now)
        return place.meaning.currency


def _message(text: str) -> str:
    return glimpse(text, MESSAGE)
