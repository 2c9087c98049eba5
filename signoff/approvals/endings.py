"""How a pending Approval ends, whatever ends it: one transaction, then its agent and its card are told."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sqlalchemy import Connection

from signoff.approvals import transitions
from signoff.approvals.adoption import adopt
from signoff.approvals.announcer import Announcer
from signoff.approvals.ballots import Ballot
from signoff.approvals.receipts import Receipts
from signoff.models import spans
from signoff.models.approval import Approval, End
from signoff.models.messages import Decision
from signoff.models.receipt import Receipt
from signoff.models.store import Store
from signoff.models.verdict import Verdict

log = logging.getLogger("signoff.approvals")


class Endings:
    """None is given back where the row had moved: somebody was faster, or the time ran out."""

    def __init__(self, store: Store, receipts: Receipts, announcer: Announcer) -> None:
        self._store = store
        self._receipts = receipts
        self._announcer = announcer
        self.rejected: Callable[[str], object] = lambda _: None
        """Called with the agent of what people have rejected, once it is committed."""

    def end(
        self,
        approval: Approval,
        status: End,
        *,
        actor: str,
        reason: str = "",
        decision: Decision | None = None,
        judged: Verdict | None = None,
        ballot: Ballot | None = None,
        if_still: Callable[[Connection], bool] = lambda _: True,
    ) -> Approval | None:
        """Pending → `status`. `decision` is the last voter's, `judged` the verdict by which it ends, `ballot`
        what all votes come to, where others may have voted.

        `if_still` is asked first in the same transaction: where it says no, the row has moved.
        """
        step = "decide" if decision else "end"
        with spans.step(step, *approval.traced) as span:
            if span:
                span.set_attribute("signoff.status", status)
            return self._end(approval, status, actor, reason, decision, judged, ballot, if_still)

    def _end(
        self,
        approval: Approval,
        status: End,
        actor: str,
        reason: str,
        decision: Decision | None,
        judged: Verdict | None,
        ballot: Ballot | None,
        if_still: Callable[[Connection], bool],
    ) -> Approval | None:
        try:
            with self._store.transaction("end") as connection:
                if not if_still(connection):
                    raise transitions.Moved
                ended = transitions.end(
                    connection,
                    self._receipts,
                    approval,
                    status,
                    actor=actor,
                    reason=reason,
                    decision=decision,
                    judged=judged,
                    ballot=ballot,
                )
        except transitions.Moved:
            return None
        assert ended.ended_at is not None
        log.info("%s: id=%s agent=%s by=%s", status, ended.id, ended.agent, actor)
        self._announcer.ended(ended, ended.ended_at)
        if status == "rejected":
            self.rejected(ended.agent)
        return ended

    def adopt(self, approval: Approval, receipt: Receipt) -> Approval | None:
        """Pending → as a receipt says that its agent holds, and that no row knows of."""
        try:
            with self._store.transaction("adopt") as connection:
                adopted = adopt(connection, approval, receipt)
        except transitions.Moved:
            return None
        log.info("adopted: id=%s agent=%s status=%s", adopted.id, adopted.agent, adopted.status)
        self._announcer.wake("adopt", adopted.id)
        return adopted
