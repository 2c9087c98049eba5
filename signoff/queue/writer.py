"""What the intake asks of the one writer, and what it makes of each kind of entry."""

from __future__ import annotations

from typing import Protocol

from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.lessons import Wanted
from signoff.models.messages import ApprovalRequest, Cancel, CanUndo, Freeze, Outcome, Reply, Spend, build
from signoff.models.receipt import Status
from signoff.payload.canonical import parse
from signoff.queue.names import BATCH, batch_name, frozen
from signoff.queue.undos import Undos


class Talks(Protocol):
    """Takes answers to people's questions: see `signoff.approvals.talks`."""

    def reply(self, agent: str, talk_id: str, reply: Reply) -> object:
        """An agent answers."""


class Approvals(Protocol):
    """What the intake asks of the one writer: see `signoff.approvals`."""

    @property
    def undoers(self) -> Undos:
        """Who knows what agents can undo."""

    @property
    def talks(self) -> Talks: ...

    def submit(self, agent: str, request: ApprovalRequest) -> Approval:
        """A request becomes an Approval; raises NotApproved where it is refused."""

    def cancel(self, agent: str, request_id: str, reason: str = "") -> Approval | None:
        """Its agent withdraws a request; None where there is none."""

    def spend(self, agent: str, request_id: str, by: str) -> object:
        """A process wants to run what was approved."""

    def freeze(self, agent: str, name: str, frozen: Freeze, told_at: str) -> None:
        """An agent has sent all of a batch, and is told there that this was read; raises Invalid."""

    def report(self, agent: str, request_id: str, outcome: Outcome) -> None:
        """What became of an approved action."""

    def teach(self, agent: str, asked: str, wanted: Wanted) -> None:
        """Tell an agent the lessons that it has asked for under an id."""

    def tell(self, approval: Approval) -> None:
        """Tell its agent where a request stands."""

    def refuse(
        self, agent: str, request_id: str, status: Status, reason: str, *, kind: str = "approval"
    ) -> None:
        """Answer a request that never became an Approval."""

    def find(self, agent: str, request_id: str) -> Approval | None:
        """The Approval of a request; None where there is none."""


def take(approvals: Approvals, agent: str, kind: str, request_id: str, text: bytes) -> None:
    """One entry, by its kind; raises a NotApproved where it is refused."""
    if kind == "request":
        request = ApprovalRequest.decode(text)
        if str(request.id) != request_id:
            raise Invalid("The ids in the entry and in its body differ.")
        approvals.tell(approvals.submit(agent, request))
    elif kind == "cancel":
        cancel = build(Cancel, parse(text))
        approval = approvals.cancel(agent, request_id, cancel.reason)
        if approval:
            approvals.tell(approval)
    elif kind == BATCH:
        body = build(Freeze, parse(text))
        approvals.freeze(agent, batch_name(request_id), body, frozen(request_id, text))
    elif kind == "spend":
        approvals.spend(agent, request_id, build(Spend, parse(text)).by)
    elif kind == "lessons":
        approvals.teach(agent, request_id, build(Wanted, parse(text)))
    elif kind == "message":
        approvals.talks.reply(agent, request_id, build(Reply, parse(text)))
    elif kind == "undo":
        approvals.undoers.told(agent, build(CanUndo, parse(text)))
    else:
        approvals.report(agent, request_id, build(Outcome, parse(text)))
