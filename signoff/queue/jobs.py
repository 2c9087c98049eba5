"""The RQ side: the jobs by name, a worker that runs nothing else, and the timers beside it.

Whoever can write RQ's keys can have a plain worker call any function, JSON serializer or not. Here a job is
run only if its MAC holds, its name is looked up in a table, and all else that RQ would read from Redis
(callbacks, webhooks, meta, retries, dependents, groups, commands by pub/sub) is not read at all.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, NoReturn

import redis
from redis.exceptions import RedisError, ResponseError
from rq import Queue, SimpleWorker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.utils import now as rq_now
from rq.worker import WorkerStatus
from rq.worker_registration import clean_worker_registry

from signoff.errors import Invalid
from signoff.models import crash
from signoff.payload.canonical import parse
from signoff.queue.mac import Mac
from signoff.queue.outage import is_outage
from signoff.queue.tally import Tally
from signoff.queue.wakeups import QUEUE

log = logging.getLogger("signoff.worker")

JOB_SECONDS = 120
"""How long one job may take: a channel may ask for patience in the middle of it."""
JOB_BYTES = 1000
"""Ours have some 70. More is not unpacked."""
REFUSED_EVERY = 60.0
"""Seconds between two lines about refused jobs, however many there are."""
REFUSED = "rq:signoff:refused"
"""Where it is counted, of all workers, how many jobs were refused."""
PAUSE = 1.0
"""Seconds before a worker is started again that RQ has ended: something in Redis is not as it should be."""


class Refusals:
    """Counts the jobs that were refused, and says so now and then."""

    def __init__(self) -> None:
        self.count = 0
        self._next = 0.0

    def add(self) -> None:
        """One more."""
        self.count += 1
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + REFUSED_EVERY
            log.warning(
                "refused a job that this server has not signed (%d so far): who else can write rq:*?",
                self.count,
            )


class SignoffJob(Job):
    """A job whose function comes from a table, whose MAC holds, and of which nothing else is read."""

    functions: ClassVar[dict[str, Callable[[str], None]]] = {}
    mac: ClassVar[Mac]
    refusals: ClassVar[Refusals] = Refusals()

    name = ""
    about = ""

    def refresh(self) -> None:
        """As RQ's; a key that is no hash is no job."""
        try:
            super().refresh()  # type: ignore[no-untyped-call]
        except ResponseError:
            self._refuse()

    def restore(self, raw_data: Any) -> Any:
        """Only the name and the id that it is about; raises NoSuchJobError unless both are signed.

        RQ passes over a job that is not there, and so reads and calls nothing of one that is refused.
        """
        try:
            packed = raw_data[b"data"]
            name, instance, arguments, keywords = parse(zlib.decompressobj().decompress(packed, JOB_BYTES))
        except (KeyError, TypeError, ValueError, zlib.error, Invalid):
            self._refuse()
        plain = instance is None and keywords == {} and isinstance(arguments, list) and len(arguments) == 1
        if not plain or not self.mac.holds(self.id, QUEUE, name, arguments) or name not in self.functions:
            self._refuse()
        self.name, self.about, self.origin = name, arguments[0], QUEUE

    def run(self) -> None:
        """Call it; whatever it raises passes."""
        crash.here("worker.woken")
        self.functions[self.name](self.about)

    def _refuse(self) -> NoReturn:
        self.refusals.add()
        with suppress(RedisError):  # somebody may have put there what is no number
            self.connection.incr(REFUSED)
        raise NoSuchJobError


class SignoffWorker(SimpleWorker):
    """Runs in this process (no fork: 2.5 ms from enqueue to card, not 19), and takes no commands.

    A job is a wake-up: it has no result, is not tried again and leaves nothing behind. Sweep finds what it
    was about where it fails, or where its worker dies.
    """

    job_class = SignoffJob
    log_job_description = False

    stop: ClassVar[threading.Event] = threading.Event()

    def request_stop(self, signum: int, frame: Any) -> None:
        """SIGTERM: as RQ's, and remember it beyond this worker."""
        self.stop.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def subscribe(self) -> None:
        """Not to RQ's command channel: anyone who may publish there could stop the worker."""

    def unsubscribe(self) -> None:
        """Nothing to leave."""

    def check_for_suspension(self, burst: bool) -> None:
        """Nor by a key."""

    def execute_job(self, job: Any, queue: Queue) -> None:
        """Run it, and take it away: without RQ's registries, which others could fill."""
        self.set_state(WorkerStatus.BUSY)  # so that SIGTERM lets it finish
        try:
            with self.death_penalty_class(JOB_SECONDS, JobTimeoutException):
                job.run()
        except Exception as error:
            # Its text may repeat a payload: only the type is logged.
            log.error("%s failed: id=%s %s", job.name, job.about, type(error).__name__)
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.delete(job.key)
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pipe.execute()
        self.set_state(WorkerStatus.IDLE)

    def run_maintenance_tasks(self) -> None:
        """Forget workers that are gone and wake-ups that nobody finished; RQ's own reads all of rq:*."""
        for queue in self.queues:
            try:
                clean_worker_registry(queue)
                self.connection.delete(queue.intermediate_queue_key)
            except ResponseError as error:
                log.warning("RQ's keys are not as they should be: %s", str(error).split(" ")[0])
        self.last_cleaned_at = rq_now()  # type: ignore[assignment]


def keep_working(redis_url: str, stop: threading.Event) -> None:
    """One worker after the other, until `stop` is set: what is wrong with Redis ends only the one."""
    tally = Tally(log)
    SignoffWorker.stop = stop
    while not stop.is_set():
        try:
            _work(redis_url)
            stop.wait(PAUSE)
        except StopRequested:
            break
        except Exception as error:
            if is_outage(error):
                log.warning("Redis is away, the sweep goes on: %s", type(error).__name__)
            else:  # RQ met what it does not foresee in one of its keys
                tally.add("a worker ended, and another one begins", detail=type(error).__name__)
            stop.wait(PAUSE)


def _work(redis_url: str) -> None:
    """One worker, until it is told to stop or its connection dies."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    connection = redis.Redis.from_url(redis_url, socket_connect_timeout=5)
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=SignoffJob)
    worker = SignoffWorker([queue], connection=connection, serializer=JSONSerializer)
    worker.max_connection_wait_time = 2.0
    try:
        worker.work(logging_level="WARNING")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        connection.close()
