"""RQ: a job that waits for a person in Redis, holds no worker meanwhile, and runs with what was approved.

    approvals = ApprovalQueue(Signoff(), Queue("refunds", connection=redis, serializer=JSONSerializer))
    job = approvals.enqueue(shop.refund, "cus_42", 120, signoff={"reversible": False})
    approvals.work()          # in a process or a thread of its own: enqueues what was decided

A worker of RQ runs `perform`, which believes nothing in the job but the receipt. See docs/adapters/rq.md.
"""

from __future__ import annotations

from signoff.adapters.rq.queue import PERFORM as PERFORM
from signoff.adapters.rq.queue import ApprovalQueue
from signoff.adapters.rq.target import action
from signoff.adapters.rq.worker import perform, use

__all__ = ["ApprovalQueue", "action", "perform", "use"]
