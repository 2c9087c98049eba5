"""What a model is told: why nothing ran, or what a person changed before it did; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from signoff.client.explanation import explain
from signoff.errors import NotApproved, SignoffError, Unreachable, WaitTimeout
from signoff.payload import corrections

if TYPE_CHECKING:  # a hook that starts for every call of a tool has no time for pydantic
    from signoff.models.receipt import ApprovedReceipt

_WITHDRAWN = (
    "was not run: nobody has decided in time, and the request was withdrawn. This is not a rejection. If it "
    "is still needed, you may ask again."
)
_NO_WAY = (
    "was not run: for a technical reason no approval can be had now. Do not try another way: tell whoever "
    "you work for."
)
UNFIT = "It was approved with changes that the tool does not take."
"""What its card says of such a call."""
_MOST_NAMES = 5


class Unfit(SignoffError):
    """A person's changes do not fit the tool: nothing ran."""


def unfit(receipt: ApprovedReceipt, names: Collection[str]) -> str:
    """Of names that an approver added and the tool does not take."""
    who = corrections.one_line(receipt.decided_by.name) if receipt.decided_by else corrections.SOMEBODY
    listed = ", ".join(corrections.one_line(name) for name in list(names)[:_MOST_NAMES])
    note = f" {who} says about it: {receipt.reason.strip()}" if receipt.reason.strip() else ""
    return (
        f"{who} approved it with changes that the tool does not take: there is no {listed}.{note} If it is "
        "still needed, you may ask again."
    )


def stopped(action: str, error: SignoffError) -> str:
    """Why an action did not run. No host, port or path stands in it."""
    error.action = error.action or action
    if isinstance(error, Unfit):
        return f"{error.action} was not run: {error.detail}"
    if isinstance(error, WaitTimeout) and not error.approved:
        return f"{error.action} {_WITHDRAWN}"
    if isinstance(error, NotApproved | WaitTimeout | Unreachable):
        return explain(error)
    return f"{error.action} {_NO_WAY}"


def is_expected(error: SignoffError) -> bool:
    """Whether it belongs to the course of things, and is nothing that an operator has to look at."""
    return isinstance(error, NotApproved | WaitTimeout | Unfit)


def told(receipt: ApprovedReceipt, sent: Mapping[str, Any]) -> str:
    """Who changed what before it ran, and their note; empty where there is neither."""
    if receipt.decided_by is None:  # the policy let it run: what it says is for people
        return ""
    return corrections.told(sent, receipt.payload, receipt.decided_by.name, receipt.reason)
