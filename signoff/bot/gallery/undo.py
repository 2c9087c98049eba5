"""What somebody can hold before it runs, or undo once it has; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.approvals.offers import filled
from signoff.approvals.undo import Planned
from signoff.bot.gallery.approval import BEGAN, SECOND
from signoff.bot.gallery.cards import REFUND, REFUND_SCHEMA, Case, ended, sure
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, Outcome
from signoff.models.people import Person
from signoff.models.undo_plan import UndoPlan
from signoff.models.undone import Undo, Undone

_NAMED = "Refund 120 EUR to cus_42"
PLAN = UndoPlan(
    action="refund.cancel", payload={"id": "$result.id", "amount": "$payload.amount"}, seconds=3600
)
_DONE = Outcome(succeeded=True, note="booked", result={"id": "re_991", "state": "booked"})


def _ran(outcome: Outcome | None = _DONE, undo: Undo | None = None) -> dict[str, Any]:
    """What the policy let run, and reported."""
    found = {
        "schema": REFUND_SCHEMA,
        "verdict": sure("costly", effect="notify", headline=_NAMED, undo=PLAN),
        "undone": undo or Undo(known=True, tried=True, owner="U0MIA"),
        **ended("approved"),
    }
    reported = {"outcome": outcome, "outcome_at": BEGAN + 50 * SECOND} if outcome else {}
    return {**found, **reported}


def _undone(**fields: Any) -> dict[str, Any]:
    done = Undone("x", "U0ANA", BEGAN + 1800 * SECOND, **fields)
    return _ran(undo=Undo(True, True, "U0MIA", done))


def _grace(**fields: Any) -> dict[str, Any]:
    verdict = sure("reversible", "low", effect="allow", after=7200, headline=_NAMED)
    return {"schema": REFUND_SCHEMA, "verdict": verdict, **fields}


UNDO: Mapping[str, Case] = {
    "can-be-undone": (REFUND, _ran()),
    "read-one-way": (REFUND, _ran() | {"interpretation": "“the customer” is cus_42, who wrote last."}),
    "never-tried": (REFUND, _ran(undo=Undo(known=True, owner="U0MIA"))),
    "not-reported-yet": (REFUND, _ran(None)),
    "value-missing": (REFUND, _ran(Outcome(succeeded=True))),
    "being-undone": (REFUND, _undone(spent_at=BEGAN + 1801 * SECOND)),
    "undone": (REFUND, _undone(succeeded=True, outcome_at=BEGAN + 1805 * SECOND)),
    "undo-failed": (REFUND, _undone(succeeded=False, outcome_at=BEGAN + 1805 * SECOND)),
    "undo-untaken": (REFUND, _undone()),
    "time-over": (REFUND, _ran() | {"outcome_at": BEGAN - 3600 * SECOND}),
    "grace": (REFUND, _grace(runs_at=BEGAN + 7201 * SECOND, reason="Duplicate charge, ticket 991.")),
    "grace-not-shown-yet": (REFUND, _grace(runs_at=0, shown_at=None)),
    "grace-folded": ({"sql": "DELETE 1;\n" * 90}, _grace(runs_at=BEGAN + 7201 * SECOND) | {"schema": None}),
    "grace-nobody-held": (REFUND, _grace(runs_at=BEGAN + 121 * SECOND) | ended("approved")),
    "grace-never-ran": (REFUND, _grace(runs_at=0) | ended("expired")),
    "held": (
        REFUND,
        {"schema": REFUND_SCHEMA, "verdict": sure("reversible", "low", headline=_NAMED, held_by="U0ANA")},
    ),
}


def planned(approval: Approval) -> Planned:
    """What Undo… shows of one of these."""
    payload = filled(approval)
    assert payload.payload is not None and approval.verdict.undo is not None
    made = {"id": approval.id, "action": approval.verdict.undo.action, "payload": payload.payload}
    request = ApprovalRequest.model_validate(made)
    verdict = approval.verdict.model_copy(update={"effect": "ask"})
    return Planned(approval, request, verdict, Person("U0ANA", "Ana"), payload.of_agent)
