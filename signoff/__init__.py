"""Signoff: an AI agent asks a person before it does something that matters.

    from signoff import Signoff

    signoff = Signoff()
    receipt = signoff.ask("refund.create", {"customer": "cus_42", "amount": 120}, reversible=False)
    refund(**receipt.payload)        # exactly what was approved

Everything is loaded when it is first used. And nothing else is before: `python -m signoff` begins here, while
Python still looks for modules in the current folder.
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from signoff.client.answer import Answer
    from signoff.client.batch import AsyncBatch, Receipts
    from signoff.client.batch_face import Batch
    from signoff.client.client import AsyncSignoff, AsyncTicket
    from signoff.client.face import Signoff, Ticket
    from signoff.client.gate import explain
    from signoff.client.inbox import Delivery
    from signoff.client.inquiries import Inquiry
    from signoff.client.pending import Pending
    from signoff.client.questions import AsyncQuestionTicket, QuestionTicket
    from signoff.errors import (
        AlreadySpent,
        Blocked,
        Cancelled,
        ConfigError,
        Duplicate,
        Expired,
        Invalid,
        Limited,
        NotApproved,
        NotVerified,
        OtherAction,
        OtherPayload,
        Rejected,
        SignoffError,
        Stopped,
        Unreachable,
        WaitTimeout,
    )
    from signoff.guard import Guard
    from signoff.models.lessons import Lesson, Lessons
    from signoff.models.receipt import ApprovedReceipt, Receipt

__version__ = "0.1.0"

_WHERE = {
    "signoff.client.face": ("Signoff", "Ticket"),
    "signoff.client.client": ("AsyncSignoff", "AsyncTicket"),
    "signoff.client.batch": ("AsyncBatch", "Receipts"),
    "signoff.client.batch_face": ("Batch",),
    "signoff.client.pending": ("Pending",),
    "signoff.client.answer": ("Answer",),
    "signoff.client.questions": ("AsyncQuestionTicket", "QuestionTicket"),
    "signoff.errors": (
        "SignoffError", "NotApproved", "Rejected", "Expired", "Blocked", "Cancelled", "Duplicate",
        "AlreadySpent", "Limited", "Stopped", "Invalid", "WaitTimeout", "Unreachable", "NotVerified",
        "OtherAction", "OtherPayload", "ConfigError",
    ),
    "signoff.client.gate": ("explain",),
    "signoff.client.inbox": ("Delivery",),
    "signoff.client.inquiries": ("Inquiry",),
    "signoff.guard": ("Guard",),
    "signoff.models.lessons": ("Lesson", "Lessons"),
    "signoff.models.receipt": ("ApprovedReceipt", "Receipt"),
}  # fmt: skip
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "AlreadySpent", "Answer", "ApprovedReceipt", "AsyncBatch", "AsyncQuestionTicket", "AsyncSignoff",
    "AsyncTicket", "Batch", "Blocked", "Cancelled", "ConfigError", "Delivery", "Duplicate", "Expired",
    "Guard", "Inquiry", "Invalid", "Lesson", "Lessons", "Limited", "NotApproved", "NotVerified",
    "OtherAction", "OtherPayload", "Pending", "QuestionTicket", "Receipt", "Receipts", "Rejected",
    "Signoff", "SignoffError", "Stopped", "Ticket", "Unreachable", "WaitTimeout", "__version__", "explain",
]  # fmt: skip


def __getattr__(name: str) -> "Any":
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
