"""A request's schema, as far as it can be used and sent. Nothing that is wrong with one stops a request."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from signoff.errors import Invalid
from signoff.models.messages import MAX_ENTRY, ApprovalRequest
from signoff.payload.canonical import canonical, count

if TYPE_CHECKING:
    from signoff.payload.usable import Usable

log = logging.getLogger("signoff")
UNUSED = (
    "request %s: its schema cannot be used in full, left out: %s. It is asked all the same; what people "
    "edit is not checked by that."
)
MOST_SENT = 128 * 1024
"""Bytes of a schema that is sent as it is: the server says then what it leaves out."""
_AROUND = 1024
"""Bytes for its name in the request, and for numbers that the request spells out longer."""


def with_schema(request: ApprovalRequest, given: Any) -> ApprovalRequest:
    """The request with its schema, or with what can be sent of it.

    What cannot be used is logged by its keywords alone: names may say what nobody else is to know.
    Raises Invalid where the payload contradicts what can be used.
    """
    from signoff.payload.schema import TooCostly  # only here: its validator takes a while to load
    from signoff.payload.usable import usable

    schema = dict(given) if isinstance(given, Mapping) else given
    room = request.room_for_schema()
    found = usable(schema, room)
    if found.gaps:
        words = ", ".join(dict.fromkeys(gap.keyword or "all of it" for gap in found.gaps))
        log.warning(UNUSED, request.id, words)
    try:
        found.check(request.payload)
    except TooCostly as error:
        log.warning(
            "request %s: %s Its card will say that the schema was left out.", request.id, error.detail
        )
    left = MAX_ENTRY - len(request.encode().encode()) - _AROUND
    return request.model_copy(update={"json_schema": _sent(schema, found, room, min(left, MOST_SENT))})


def _sent(schema: Any, found: Usable, room: int, most: int) -> dict[str, Any] | None:
    """The schema as it was given where it can travel: the server knows best what it can use. Else what is
    left of it; nothing where there is no room for that.
    """
    for one in (schema, found.marked(), found.schema):
        try:
            text = canonical(one, "schema")
        except Invalid:
            continue
        if isinstance(one, dict) and len(text.encode()) <= most and count(text, room) <= room:
            return one
    return None
