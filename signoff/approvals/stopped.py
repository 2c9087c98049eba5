"""What is shown of a stop on the card of a request that it holds, or whose receipt it voids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from signoff.models import stop_rows
from signoff.models.approval import Approval
from signoff.models.feedback import KIND
from signoff.models.stops import Stop
from signoff.models.store import Store


def with_stop(store: Store, approval: Approval) -> Approval:
    """The same with the stop that keeps it from being decided, or for which its receipt is void."""
    return with_stops(store, [approval])[0]


def with_stops(store: Store, found: Iterable[Approval]) -> list[Approval]:
    """The same of several."""
    approvals = list(found)
    looked = [one for one in approvals if _may_be(one)]
    if not looked:
        return approvals
    with store.reading() as connection:
        stops = stop_rows.since(connection, min(one.ended_at or one.created_at for one in looked))
    return [replace(one, stop=_of(stops, one)) if _may_be(one) else one for one in approvals]


def _may_be(approval: Approval) -> bool:
    """Whether it has to be looked up: nothing that has run is void, and nobody decides what has ended."""
    if approval.request.kind == KIND:
        return False
    return approval.any_stop if approval.pending else approval.status == "approved" and not approval.has_run


def _of(stops: Iterable[Stop], approval: Approval) -> Stop | None:
    whose, undo = (approval.agent, approval.action), approval.undoes is not None
    if approval.pending:
        return next((one for one in stops if one.holds(*whose, undo=undo)), None)
    at = approval.ended_at or 0
    return next((one for one in stops if one.voids(*whose, at, undo=undo)), None)
