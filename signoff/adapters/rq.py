"""RQ: a job that waits for a person in Redis, holds no worker meanwhile, and runs with what was approved.

    approvals = ApprovalQueue(Signoff(), Queue("refunds", connection=redis, serializer=JSONSerializer))
    job = approvals.enqueue(shop.refund, "cus_42", 120, signoff={"reversible": False})
    approvals.work()          # in a process or a thread of its own: enqueues what was decided

A worker of RQ runs `perform`, which believes nothing in the job but the receipt. See docs/adapters/rq.md.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, Unpack

from redis.exceptions import WatchError
from rq import Queue, get_current_job
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.utils import import_attribute

from signoff import receipts
from signoff.adapters.texts import stopped
from signoff.client import mistakes
from signoff.client.arguments import Arguments, Bound
from signoff.client.ask import build_for
from signoff.client.claims import NAMES, Claims
from signoff.client.face import Signoff
from signoff.errors import Invalid, NotVerified, SignoffError
from signoff.models.receipt import ApprovedReceipt, Receipt
from signoff.payload.canonical import canonical, parse

__all__ = ["ApprovalQueue", "action", "perform", "use"]

log = logging.getLogger("signoff")
F = TypeVar("F", bound=Callable[..., Any])
PERFORM = "signoff.adapters.rq.perform"
KEPT = "signoff"
"""Where a job's meta keeps its receipt, and the payload that this approves."""
TAKEN = ("job_timeout", "result_ttl", "failure_ttl", "ttl", "description", "meta", "on_success", "on_failure",
         "on_stopped", "webhooks", "group_id")  # fmt: skip
NOT_TAKEN = ("job_id", "depends_on", "retry", "repeat", "rate_limit", "pipeline", "unique", "at_front")
"""Options of RQ that would run a job before, or again without, an approval, or that have no meaning here."""


class Guards(Protocol):
    """A `signoff.Guard`."""

    def spend(self, receipt: str, payload: Mapping[str, Any], *, action: str) -> dict[str, Any]: ...


def action(name: str) -> Callable[[F], F]:
    """Decorator: what a function is called on cards and in the policy; else it is its dotted name.

    It is read from the code alone, by whoever asks and by the worker: nobody can change it in Redis.
    """
    mistakes.check_action(name)

    def decorate(function: F) -> F:
        function.__signoff_action__ = name  # type: ignore[attr-defined]
        return function

    return decorate


class ApprovalQueue:
    """An RQ queue whose jobs run once a person has approved.

    `client` is the agent's, `claims` are said with each request (reversible, risk, …). Any number of them may
    `work`, in any number of processes. Raises TypeError for a queue that runs its jobs at once.
    """

    def __init__(self, client: Signoff, queue: Queue, **claims: Unpack[Claims]) -> None:
        if not queue.is_async:
            raise TypeError("A queue with is_async=False has no worker that could wait for an approval.")
        self._client, self._queue = client, queue
        self._claims = _checked(claims)

    def enqueue(
        self,
        function: Callable[..., Any] | str,
        *args: Any,
        signoff: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Job:
        """Store a deferred job and ask for it; its id is the request's.

        `signoff` is what is said besides (reason, reversible, risk, …; key: asking again with it gives the
        same job). RQ's options are those of `Queue.enqueue`: job_timeout, result_ttl, on_failure, … The
        function's arguments travel by their annotations, as `require_approval`'s do. Raises TypeError for
        what cannot be meant, Invalid or Unreachable (then there is no job).
        """
        if wrong := [name for name in NOT_TAKEN if name in kwargs]:
            raise TypeError(f"A job that waits for an approval takes no {', '.join(wrong)}: it runs once.")
        given = {name: kwargs.pop(name) for name in TAKEN if name in kwargs}
        target = _Target.of(function)
        payload = target.payload(args, kwargs)
        said: dict[str, Any] = {**self._claims, **_checked(signoff or {})}
        said.setdefault("reason", (inspect.getdoc(target.function) or "").partition("\n\n")[0])
        said["key"] = f"rq:{said.get('key') or uuid.uuid4().hex}"
        said["schema"] = target.arguments.schema_of(payload)
        who = self._client._async
        request, _, _ = build_for(lambda: (who.agent, who._secret()), target.action, payload, said)  # type: ignore[arg-type]
        job_id = str(request.id)
        is_new = not Job.exists(job_id, self._queue.connection)
        if is_new:
            self._store(job_id, target, given)
        try:
            self._client.request(target.action, payload, **said)
        except SignoffError:
            if is_new:
                self._drop(job_id)
            raise
        return Job.fetch(job_id, self._queue.connection, self._queue.serializer)

    def work(self, group: str = "rq") -> None:
        """Enqueue what was decided, for ever; first what was decided while nobody worked.

        Any number of processes may. What could not be carried out comes again. Ends where the client is
        closed.
        """
        self.catch_up()
        with suppress(CancelledError):
            for delivery in self._client.decisions(group):
                if self._is_done(delivery.receipt):
                    delivery.ack()

    def catch_up(self) -> None:
        """Enqueue those deferred jobs that are decided by now."""
        for job_id in self._queue.deferred_job_registry.get_job_ids():
            try:
                found = self._client.get(job_id)
            except SignoffError:  # another's job, or one that cannot be told now
                continue
            if isinstance(found, Receipt):
                self._is_done(found)

    def _is_done(self, receipt: Receipt) -> bool:
        try:
            self.take(receipt)
            return True
        except Exception as error:  # RQ's Redis, or a job that RQ cannot read
            log.warning("request %s: %s; it comes again", receipt.id, type(error).__name__)
            return False

    def take(self, receipt: Receipt) -> Job | None:
        """Have a decision carried out by a worker, once; None where that is done, or it is of no job here.

        What was not approved is enqueued as well: it fails there with the text, and so do its callbacks run.
        """
        while True:
            try:
                return self._moved(receipt)
            except WatchError:
                continue

    def _moved(self, receipt: Receipt) -> Job | None:
        with self._queue.connection.pipeline() as pipe:
            pipe.watch(Job.key_for(receipt.id))  # type: ignore[no-untyped-call]
            try:
                job = Job.fetch(receipt.id, self._queue.connection, self._queue.serializer)
            except NoSuchJobError:
                return None
            if job.get_status() != JobStatus.DEFERRED or job.origin != self._queue.name:
                return None
            payload = canonical(receipt.payload) if isinstance(receipt, ApprovedReceipt) else None
            job.meta[KEPT] = {"receipt": receipt.token, "payload": payload}
            pipe.multi()
            self._queue.deferred_job_registry.remove(job, pipeline=pipe)
            job.set_status(JobStatus.QUEUED, pipeline=pipe)
            self._queue.enqueue_job(job, pipeline=pipe)
            pipe.execute()
            return job

    def _store(self, job_id: str, target: _Target, given: dict[str, Any]) -> None:
        given = {"description": f"{target.action}, once it is approved", **given}
        timeout = given.pop("job_timeout", None)
        job = self._queue.create_job(
            PERFORM, (target.name,), timeout=timeout, job_id=job_id, status=JobStatus.DEFERRED, **given
        )
        with self._queue.connection.pipeline() as pipe:
            job.save(pipeline=pipe)
            self._queue.deferred_job_registry.add(job, pipeline=pipe)
            pipe.execute()

    def _drop(self, job_id: str) -> None:
        with self._queue.connection.pipeline() as pipe:
            pipe.delete(Job.key_for(job_id))
            pipe.zrem(self._queue.deferred_job_registry.key, job_id)
            pipe.execute()


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
    target = _Target.of(name)
    kept = job.meta.get(KEPT) if job else None
    if job is None or not isinstance(kept, dict):
        raise NotVerified("The job has no receipt.")
    try:
        receipt, payload = _verified(job.id, kept, target.action)
        args, kwargs = target.arguments.rebuild(payload, Bound({}, {}))
        if _worker.guard is not None:
            _worker.guard.spend(receipt.token, payload, action=target.action)
        else:
            _worker.client.spend(receipt)
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


def _verified(job_id: str, kept: Mapping[str, Any], action: str) -> tuple[Receipt, dict[str, Any]]:
    """A job's receipt and what it lets run: all of it is checked against the code and the job."""
    keys, issuer = _worker.client._async._keys()
    receipt = receipts.verify(str(kept.get("receipt")), keys, _worker.client.agent, issuer=issuer)
    if receipt.id != job_id:
        raise NotVerified("It is the receipt of another job.")
    payload = parse(str(kept.get("payload") or "{}"))
    return receipt, receipts.bind(receipt, action=action, payload=payload)


def _report(request_id: str, failed: BaseException | None) -> None:
    note = f"It raised {type(failed).__name__}." if failed else ""
    try:
        _worker.client.report(request_id, succeeded=failed is None, note=note)
    except Exception as error:
        log.warning("the outcome of request %s could not be reported: %s", request_id, error)


@dataclass(frozen=True)
class _Target:
    """A function that a worker can find by its name."""

    name: str
    function: Callable[..., Any]
    action: str
    arguments: Arguments

    @classmethod
    def of(cls, function: Callable[..., Any] | str) -> _Target:
        """Raises TypeError for one that no worker would find, or whose arguments cannot travel."""
        name = function if isinstance(function, str) else f"{function.__module__}.{function.__qualname__}"
        try:
            found = import_attribute(name)
        except (ValueError, ImportError, AttributeError):
            raise TypeError(f"{name}: a worker has to find it, as a function of a module.") from None
        if name.startswith("__main__.") or not inspect.isfunction(found):
            raise TypeError(f"{name}: a worker has to find it, as a function of a module.")
        if not isinstance(function, str) and found is not function:
            raise TypeError(f"{name} is another function in its module: enqueue that one.")
        return cls(name, found, getattr(found, "__signoff_action__", name), Arguments.of(found))

    def payload(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """A call's arguments as they travel; raises Invalid."""
        payload, bound = self.arguments.payload(args, kwargs)
        if bound.aside:
            raise Invalid(f"{self.name}() takes {', '.join(bound.aside)}, which cannot travel.")
        return payload


def _checked(claims: Mapping[str, Any]) -> dict[str, Any]:
    if told := mistakes.unknown(claims, NAMES - {"schema"}, "signoff= has no option"):
        raise TypeError(told)
    try:
        mistakes.check_claims(claims)
    except Invalid as error:
        raise TypeError(error.detail) from None
    return dict(claims)
