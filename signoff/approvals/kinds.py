"""Kinds of requests, in one table: how each is checked, and what a vote makes of it.

A channel has a table of its own for what is shown of a kind, and by which forms it is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signoff.errors import Invalid
from signoff.models.approval import End
from signoff.models.bodies import MAX_RESULT
from signoff.models.feedback import KIND
from signoff.models.messages import ApprovalRequest, Vote
from signoff.models.questions import ACTION, QUESTION, Question
from signoff.payload.canonical import canonical
from signoff.payload.gaps import WHOLE
from signoff.payload.schema import TooCostly
from signoff.payload.usable import usable


@dataclass(frozen=True)
class Kind:
    """`check` gives the request to go on with, and raises Invalid where it is at fault; `ends` is what the
    last vote makes of it: nothing where nobody votes on it.
    """

    check: Callable[[ApprovalRequest], ApprovalRequest]
    ends: Mapping[Vote, End]


def _check_payload(request: ApprovalRequest) -> ApprovalRequest:
    """The request with what can be used of its schema: nothing where that asks for more work than anyone has
    time for.
    """
    if request.action == ACTION:  # in a list it would pass for one
        raise Invalid(f"The action {ACTION!r} is that of questions: ask one, or call this something else.")
    if request.json_schema is None:
        return request
    found = usable(request.json_schema)
    try:
        found.check(request.payload)
    except TooCostly:
        return request.with_schema(None, (WHOLE,))
    if found.gaps or found.schema is not request.json_schema:
        return request.with_schema(found.schema, found.gaps)
    return request


def _check_result(request: ApprovalRequest) -> ApprovalRequest:
    """A result and nothing else, small enough to be shown; nobody approves it, whatever it is called."""
    if request.payload.keys() != {"result"}:
        raise Invalid("What asks for feedback has a result as its payload, and nothing else.")
    size = len(canonical(request.payload["result"], "result").encode())
    if size > MAX_RESULT:
        raise Invalid(f"A result has at most {MAX_RESULT:,} bytes, and this one {size:,}.")
    return request


def _check_question(request: ApprovalRequest) -> ApprovalRequest:
    """The same: its payload is a question. Nobody edits what an agent asks, and no schema describes it."""
    if request.action != ACTION:
        raise Invalid(f"The action of a question is {ACTION!r}.")
    if request.batch is not None:
        raise Invalid("A question stands alone: it is part of no batch.")
    Question.of(request.payload)
    return request.model_copy(update={"json_schema": None, "editable": False})


KINDS: Mapping[str, Kind] = {
    "approval": Kind(check=_check_payload, ends={"approve": "approved", "reject": "rejected"}),
    QUESTION: Kind(check=_check_question, ends={"answer": "answered"}),
    KIND: Kind(check=_check_result, ends={"answer": "answered"}),
}


def kind_of(request: ApprovalRequest) -> Kind:
    """What there is to know about a request's kind; raises Invalid for one that is not served."""
    found = KINDS.get(request.kind)
    if found is None:
        raise Invalid(f"The kind {request.kind[:40]!r} is not served: send an approval or a question.")
    return found
