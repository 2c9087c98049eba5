"""Refunds as jobs of RQ that wait for a person without holding a worker.

signoff demo                          # or any other server; and a Redis for RQ: REDIS_URL
python examples/rq_jobs.py ask        # stores two jobs, and asks for them
python examples/rq_jobs.py work       # enqueues what people decide; leave it running
python examples/rq_jobs.py run        # a worker; leave it running
"""

from __future__ import annotations

import os
import sys

from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from signoff import Signoff
from signoff.adapters.rq import ApprovalQueue

ORDERS = {"A-1": 120, "B-2": 40}


def refund(order: str, amount: int, currency: str = "EUR") -> str:
    """Give money back."""
    return f"refunded {amount} {currency} of {order}"


def a_queue() -> Queue:
    """Where jobs are; JSON, as a pickle would run whatever somebody writes into Redis."""
    connection = Redis.from_url(os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
    return Queue("refunds", connection=connection, serializer=JSONSerializer)


def an_approval_queue() -> ApprovalQueue:
    """What the agent has."""
    return ApprovalQueue(Signoff(), a_queue(), reversible=False, tags=["money"])


def ask() -> list[Job]:
    """What the agent does: workers find the function by its name."""
    approvals = an_approval_queue()
    return [approvals.enqueue("rq_jobs.refund", order, amount) for order, amount in ORDERS.items()]


def work() -> None:
    """Enqueue what was decided."""
    an_approval_queue().work()


def run(burst: bool = False) -> list[str]:
    """Run what was approved; with `burst` until there is nothing left, and say what came of it."""
    queue = a_queue()
    waiting = queue.jobs
    SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer).work(burst=burst)
    return [str(job.return_value(refresh=True)) for job in waiting]


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        print(*ask(), sep="\n")
    elif sys.argv[1] == "work":
        work()
    else:
        run()
