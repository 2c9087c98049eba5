"""Waking a worker: a job by name, signed, about one id."""

from __future__ import annotations

import logging

import redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from signoff.queue.mac import Mac

log = logging.getLogger("signoff.queue")


QUEUE = "signoff"
"""RQ's queue."""
DELIVER = "deliver"
"""The job that brings a card up to date: its only argument is an approval's id."""
HOME = "home"
"""The job that publishes the Home of a person who has just opened it: their id."""
WAKE_UP_SECONDS = 600
"""A job that no worker has taken for so long goes: sweep finds what it was about."""


class Enqueue:
    """Wakes a worker for a job about one id. A wake-up only: the timers find what was missed."""

    def __init__(self, connection: redis.Redis, mac: Mac, job: str = DELIVER) -> None:
        self._queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
        self._mac = mac
        self._job = job

    def __call__(self, about: str) -> None:
        """Never raises."""
        job = self._job
        try:
            self._queue.enqueue(
                job,
                about,
                job_id=self._mac.job_id(QUEUE, job, [about]),
                description=job,
                ttl=WAKE_UP_SECONDS,
            )
        except (RedisError, OSError) as error:
            log.warning("%s not queued, a timer will find it: id=%s %s", job, about, type(error).__name__)
