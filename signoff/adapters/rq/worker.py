"""What a worker runs: it believes nothing in a job but the receipt."""

from __future__ import annotations

import asyncio
import hmac
import inspect
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rq import get_current_job
from rq.job import Job

from signoff import receipts
from signoff.adapters.rq.target import Target
from signoff.adapters.texts import stopped
from signoff.client.arguments import Bound
from signoff.client.ask import nonce_of
from signoff.client.face import Signoff
from signoff.errors import NotVerified, SignoffError
from signoff.models.receipt import Receipt
from signoff.payload.canonical import parse

log = logging.getLogger("signoff")
KEPT = "signoff"
"""The field of a job's hash in Redis where, as JSON, its key stands, and its receipt with the payload."""
SPEND_SECONDS = 30.0
"""How long a worker waits for the server to say that it may run a job; after that the job fails."""


class Guards(Protocol):
    """A `signoff.Guard`."""

    def spend(self, receipt: str, payload: Mapping[str, Any], *, action: str) -> dict[str, Any]: ...


@dataclass
class _Worker:
    """What a worker's process checks and spends with."""

    client: Signoff
    guard: Guards | None = None


_worker = _Worker(Signoff())


def use(client: Signoff, guard: Guards | None = None) -> None:
    """In a worker's process, before it works: whose receipts are taken, if not by the environment's settings.

    With a `signoff.Guard` approvals are spent in its store; else the server is asked.
    """
    _worker.client, _worker.guard = client, guard


def perform(name: str) -> Any:
    """What a worker runs: the function of this name, with what its job's receipt approves of it, once.

    Raises a NotApproved, NotVerified, OtherAction, OtherPayload, Invalid, WaitTimeout or Unreachable, and
    nothing has run; else what the function raises. The outcome is reported.
    """
    job = get_current_job()
    target = Target.of(name)
    kept = kept_of(job) if job else {}
    if job is None or not kept.get("receipt"):
        raise NotVerified("The job has no receipt.")
    try:
        receipt, payload = _verified(job.id, kept, target)
        args, kwargs = target.arguments.rebuild(payload, Bound({}, {}))
        if _worker.guard is not None:
            _worker.guard.spend(receipt.token, payload, action=target.action)
        else:
            _worker.client.spend(receipt, SPEND_SECONDS)
    except SignoffError as error:
        error.add_note(stopped(target.action, error))
        raise
    failed: BaseException | None = None
    try:
        result = target.function(*args, **kwargs)
        return asyncio.run(result) if inspect.iscoroutine(result) else result
    except BaseException as error:
        failed = error
        raise
    finally:
        _report(receipt.id, failed)


def kept_of(job: Job) -> dict[str, Any]:
    """What stands beside a job as JSON, whatever its serializer is; empty where that cannot be read."""
    try:
        kept = json.loads(job.connection.hget(job.key, KEPT) or "null")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _verified(job_id: str, kept: Mapping[str, Any], target: Target) -> tuple[Receipt, dict[str, Any]]:
    """A job's receipt and what it lets run: all of it is checked against the code and the job."""
    client = _worker.client._async
    keys, issuer = client._link.keys()
    receipt = receipts.verify(str(kept.get("receipt")), keys, client.agent, issuer=issuer)
    if receipt.id != job_id:
        raise NotVerified("It is the receipt of another job.")
    nonce = nonce_of(target.key(str(kept.get("key"))), client._link.secret)
    if not hmac.compare_digest(nonce, receipt.nonce):
        raise NotVerified("It is the receipt of another function, or the agent's secret was another.")
    payload = parse(str(kept.get("payload") or "{}"))
    return receipt, receipts.bind(receipt, action=target.action, payload=payload)


def _report(request_id: str, failed: BaseException | None) -> None:
    note = f"It raised {type(failed).__name__}." if failed else ""
    try:
        _worker.client.report(request_id, succeeded=failed is None, note=note)
    except Exception as error:
        log.warning("the outcome of request %s could not be reported: %s", request_id, error)
