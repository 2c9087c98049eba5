"""An RQ queue whose jobs wait for a person as deferred jobs, and are enqueued with what was decided."""

from __future__ import annotations

import inspect
import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Unpack

from redis.exceptions import WatchError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from signoff.adapters.rq.target import Target
from signoff.adapters.rq.worker import KEPT, kept_of
from signoff.client import mistakes
from signoff.client.ask import build_for
from signoff.client.claims import NAMES, Claims
from signoff.client.face import Signoff
from signoff.errors import Invalid, SignoffError
from signoff.models.receipt import ApprovedReceipt, Receipt
from signoff.payload.canonical import canonical

log = logging.getLogger("signoff")
PERFORM = "signoff.adapters.rq.perform"
CATCH_UP_SECONDS = 60.0
"""How often `work` looks at the deferred jobs by itself."""
TAKEN = ("job_timeout", "result_ttl", "failure_ttl", "ttl", "description", "meta", "on_success", "on_failure",
         "on_stopped", "webhooks", "group_id")  # fmt: skip
NOT_TAKEN = ("job_id", "depends_on", "retry", "repeat", "rate_limit", "pipeline", "unique", "at_front")
"""Options of RQ that would run a job before, or again without, an approval, or that have no meaning here."""


class ApprovalQueue:
    """An RQ queue whose jobs run once a person has approved.

    `client` is the agent's, `claims` are said with each request (reversible, risk, …). Any number of them may
    `work`, in any number of processes. Raises TypeError for a queue that runs its jobs at once, or one whose
    serializer is not RQ's JSONSerializer: RQ's own pickles, and who reads a pickle runs it. With
    `trusts_redis` any is taken.
    """

    def __init__(
        self, client: Signoff, queue: Queue, *, trusts_redis: bool = False, **claims: Unpack[Claims]
    ) -> None:
        if not trusts_redis and not _is_json(queue.serializer):
            raise TypeError(
                "Who reads this queue runs what stands in it, if it is a pickle: give it "
                "serializer=JSONSerializer, and its workers; or say trusts_redis=True."
            )
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
        target = Target.of(function)
        payload = target.payload(args, kwargs)
        said: dict[str, Any] = {**self._claims, **_checked(signoff or {})}
        said.setdefault("reason", (inspect.getdoc(target.function) or "").partition("\n\n")[0])
        given_key = said.get("key") or uuid.uuid4().hex
        said["key"] = target.key(given_key)
        said["schema"] = target.arguments.schema_of(payload)
        who = self._client._async
        request, _, _ = build_for(lambda: (who.agent, who._link.secret), target.action, payload, said)  # type: ignore[arg-type]
        job_id = str(request.id)
        is_new = self._store(job_id, target, given, given_key)
        try:
            if not self._is_taken(job_id):  # asked before, and its job was gone since
                self._client.request(target.action, payload, **said)
        except SignoffError:
            if not is_new or self._is_dropped(job_id):
                raise
        return Job.fetch(job_id, self._queue.connection, self._queue.serializer)

    def work(self, group: str = "rq") -> None:
        """Enqueue what was decided, for ever; first, and every minute, what was missed.

        Any number of processes may. What could not be carried out comes again. Ends where the client is
        closed.
        """
        self.catch_up()
        ended = threading.Event()
        threading.Thread(target=self._catch_up_until, args=(ended,), daemon=True).start()
        try:
            with suppress(CancelledError):
                for delivery in self._client.decisions(group):
                    if self._is_done(delivery.receipt):
                        delivery.ack()
        finally:
            ended.set()

    def _catch_up_until(self, ended: threading.Event) -> None:
        while not ended.wait(CATCH_UP_SECONDS):
            try:
                self.catch_up()
            except Exception as error:  # Redis is away: so it is for who waits for decisions
                log.warning("deferred jobs could not be looked at: %s", type(error).__name__)

    def catch_up(self) -> None:
        """Enqueue those deferred jobs that are decided by now."""
        for job_id in self._queue.deferred_job_registry.get_job_ids():
            with suppress(SignoffError):  # another's job, or one that cannot be told now
                self._is_taken(job_id)

    def _is_taken(self, job_id: str) -> bool:
        """Whether a job's request is decided: then it is carried out. Raises what `Signoff.get` does."""
        found = self._client.get(job_id)
        return isinstance(found, Receipt) and self._is_done(found)

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
                job = Job.fetch(receipt.id, self._queue.connection, _Unread)
            except NoSuchJobError:
                return None
            if job.get_status() != JobStatus.DEFERRED or job.origin != self._queue.name:
                return None
            payload = canonical(receipt.payload) if isinstance(receipt, ApprovedReceipt) else None
            kept = {"key": kept_of(job).get("key"), "receipt": receipt.token, "payload": payload}
            pipe.multi()
            self._queue.deferred_job_registry.remove(job, pipeline=pipe)
            job.set_status(JobStatus.QUEUED, pipeline=pipe)
            pipe.hset(job.key, KEPT, json.dumps(kept))
            self._queue.enqueue_job(job, pipeline=pipe)
            pipe.execute()
            job.serializer = self._queue.serializer
            return job

    def _store(self, job_id: str, target: Target, given: dict[str, Any], key: str) -> bool:
        """Store a deferred job, unless there is one of this id; whether it was stored."""
        given = {"description": f"{target.action}, once it is approved", **given}
        timeout = given.pop("job_timeout", None)
        job = self._queue.create_job(
            PERFORM, (target.name,), timeout=timeout, job_id=job_id, status=JobStatus.DEFERRED, **given
        )
        with self._queue.connection.pipeline() as pipe:
            while True:
                try:
                    pipe.watch(job.key)  # type: ignore[no-untyped-call]
                    if Job.exists(job_id, self._queue.connection):
                        return False
                    pipe.multi()
                    job.save(pipeline=pipe)
                    pipe.hset(job.key, KEPT, json.dumps({"key": key}))
                    self._queue.deferred_job_registry.add(job, pipeline=pipe)
                    pipe.execute()
                    return True
                except WatchError:
                    continue

    def _is_dropped(self, job_id: str) -> bool:
        """Take a job back that is still deferred; False where it was decided, and so asked for, meanwhile."""
        with self._queue.connection.pipeline() as pipe, suppress(WatchError):
            pipe.watch(Job.key_for(job_id))  # type: ignore[no-untyped-call]
            status = self._queue.connection.hget(Job.key_for(job_id), "status")
            if status in (None, b"deferred", "deferred"):
                pipe.multi()
                pipe.delete(Job.key_for(job_id))
                pipe.zrem(self._queue.deferred_job_registry.key, job_id)
                pipe.execute()
                return True
        return False


class _Unread:
    """A serializer of RQ's that reads nothing: what stands in Redis may be a pickle, which is code.

    RQ leaves a job's data as it is then, and puts meta back as it was.
    """

    @staticmethod
    def dumps(value: Any, /) -> bytes:
        raise TypeError("Nothing is written here.")

    @staticmethod
    def loads(data: bytes, /) -> Any:
        raise ValueError("Nothing is read here.")


def _is_json(serializer: Any) -> bool:
    kind = serializer if isinstance(serializer, type) else type(serializer)
    return issubclass(kind, JSONSerializer)


def _checked(claims: Mapping[str, Any]) -> dict[str, Any]:
    if told := mistakes.unknown(claims, NAMES - {"schema"}, "signoff= has no option"):
        raise TypeError(told)
    try:
        mistakes.check_claims(claims)
    except Invalid as error:
        raise TypeError(error.detail) from None
    return dict(claims)
