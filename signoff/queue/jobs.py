"""The RQ side: the jobs by name, a worker that runs nothing else, and the timer that sweeps.

Whoever can write RQ's keys can have a plain worker call any function, JSON serializer or not. Here a job's
name is looked up in a table; callbacks and webhooks are dropped; commands by pub/sub are not listened to.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from signoff.app import DELIVER, HOME, QUEUE, Server
from signoff.bot.delivery import Delivery
from signoff.bot.home import Homes
from signoff.queue.sweep import Sweep

log = logging.getLogger("signoff.worker")


class UnknownJob(Exception):
    """Somebody put a job into the queue that Signoff does not have."""


class SignoffJob(Job):
    """A job whose function comes from a table and that calls nobody back."""

    functions: ClassVar[dict[str, Callable[..., None]]] = {}

    @property
    def func(self) -> Callable[..., None]:
        """The function of this name in the table; raises UnknownJob."""
        name, arguments = self.func_name, self.args
        plain = len(arguments) == 1 and isinstance(arguments[0], str) and not self.kwargs
        if self.instance or name not in self.functions or not plain:
            raise UnknownJob("refused a job that is not in the table")
        return self.functions[name]

    def restore(self, raw_data: Any) -> Any:
        """As RQ's, without what could call anything else."""
        bare = {
            name: value
            for name, value in raw_data.items()
            if b"callback" not in name and name not in (b"webhooks", b"meta")
        }
        return super().restore(bare)


class SignoffWorker(SimpleWorker):
    """Runs in this process (no fork: 2.5 ms from enqueue to card, not 19), and takes no commands."""

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


def run_worker(server: Server, stop: threading.Event) -> None:
    """The worker role, in the main thread: until `stop` is set, then finishes the job it runs."""
    delivery = Delivery(server.approvals, server.slack, server.settings.admin_ids())
    homes = Homes(server.store, server.lists, server.slack)
    SignoffJob.functions = {DELIVER: delivery.deliver, HOME: homes.one}
    SignoffWorker.stop = stop
    sweep = Sweep(server.approvals, delivery.deliver, delivery.tell, delivery.warn)
    timers = [
        threading.Thread(target=part.run, args=(stop,), name=name, daemon=True)
        for name, part in (("sweep", sweep), ("home", homes))
    ]
    for timer in timers:
        timer.start()
    try:
        while not stop.is_set():
            try:
                _work(server.redis_url)
            except StopRequested:
                break
            except (RedisError, OSError) as error:
                log.warning("Redis is away, the sweep goes on: %s", type(error).__name__)
                stop.wait(1.0)
    finally:
        stop.set()
        for timer in timers:
            timer.join(timeout=15)


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
