"""What agents are told, as it stands in Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from signoff.errors import Invalid
from signoff.models import crash, spans
from signoff.models.approval import Approval
from signoff.models.messages import Response
from signoff.models.receipt import Receipt
from signoff.models.stops import STOPS_KEY
from signoff.models.store import MICROSECONDS
from signoff.queue import groups, hearing, held, questions, stream

PENDING_GRACE = 24 * 3600
"""Seconds that `received` outlives a request's time, in case nobody is there to expire it."""

STOPS_SECONDS = 3600
"""How long a statement of what is stopped stands in Redis: those who read it believe it for less."""
LESSONS_SECONDS = 120
"""How long lessons stand in Redis for who has asked for them."""


class Publisher:
    """Puts responses into Redis. Its client gives up after 0.5 s: sweep repeats what failed."""

    def __init__(self, client: stream.Redis, lifetime: timedelta) -> None:
        self._redis = client
        self._seconds = int(lifetime.total_seconds())

    def mark_received(self, approval: Approval, now: int, held_by: str | None = None) -> None:
        """Mark a pending request as received, and who has stopped it, if anybody; raises RedisError."""
        response = Response(
            status="pending", action=approval.action, expires_at=approval.expires_at, held=held_by
        )
        seconds = max((approval.expires_at - now) // MICROSECONDS + PENDING_GRACE, 60)
        pointer = self._pointer(approval, seconds)
        stream.mark_received(self._redis, approval.agent, approval.request_id, response, seconds, pointer)
        crash.here("publication.received")

    def mark_frozen(self, agent: str, told_at: str) -> None:
        """Tell an agent that its batch was read, at `names.frozen` of what it sent; raises RedisError."""
        told = Response(status="pending", action=stream.BATCH)
        stream.mark_received(self._redis, agent, told_at, told, PENDING_GRACE)
        crash.here("freeze.told")

    def backlog(self, agent: str) -> int:
        """How many entries of an agent are not done with; raises RedisError."""
        return stream.backlog(self._redis, agent)

    def publish(self, approval: Approval, response: Response, now: int) -> None:
        """Publish the response of an Approval that has ended; raises RedisError."""
        with spans.step("publish", *approval.traced):
            pointer = self._pointer(approval)
            self._put(approval.agent, approval.request_id, response, now, pointer=pointer)
        crash.here("publication.sent")

    def publish_all(self, ended: Sequence[tuple[Approval, Response]], now: int) -> None:
        """The same of several that have ended, in one round trip; raises RedisError: then any may stand."""
        told = []
        for approval, response in ended:
            with spans.step("publish", *approval.traced):
                pointer = self._pointer(approval)
                told.append(stream.Told(approval.agent, approval.request_id, response, pointer))
        stream.publish_all(self._redis, told, self._seconds, self._since(now))
        crash.here("publication.sent")

    def publish_notice(self, agent: str, request_id: str, response: Response) -> None:
        """Publish which process may run what was approved, or that none may; raises RedisError."""
        stream.publish_notice(self._redis, agent, request_id, response, self._seconds)
        crash.here("spend.told")

    def publish_lessons(self, agent: str, asked: str, response: Response) -> None:
        """Publish lessons under the id that they were asked for under; raises RedisError."""
        stream.publish_lessons(self._redis, agent, asked, response, LESSONS_SECONDS)

    def publish_stops(self, statement: str) -> None:
        """Put what is stopped where gates and guards read it; raises RedisError."""
        self._redis.set(STOPS_KEY, statement, ex=STOPS_SECONDS)
        crash.here("stops.published")

    def publish_held(self, waiting: Sequence[held.Waiting]) -> None:
        """Tell agents that what they wait for is held, or is no longer; raises RedisError."""
        held.tell(self._redis, waiting)
        crash.here("stops.held")

    def publish_undo_test(self, agent: str, test_id: str, token: str, now: int) -> None:
        """Ask an agent to test an undo; raises RedisError."""
        self._put(agent, test_id, Response(status="test", receipt=token), now)

    def notice(self, agent: str, request_id: str) -> Response | None:
        """What Redis holds of who has spent a request, whoever put it there; raises RedisError."""
        return self.standing(agent, stream.spent(request_id))

    def publish_refusal(self, receipt: Receipt, now: int, *, lost: bool = False) -> None:
        """Publish a refusal where no response stands: a request has one, and what is malformed is no request.

        A `lost` one is in no row any more: that it was received counts for nothing then.
        """
        response = Response(status=receipt.status, receipt=receipt.token)
        if self._put(receipt.agent, receipt.id, response, now, over=("pending",) if lost else ()):
            crash.here("publication.refused")

    def standing(self, agent: str, request_id: str) -> Response | None:
        """What Redis holds for a request, whoever put it there; raises RedisError."""
        try:
            return stream.response(self._redis, agent, request_id)
        except Invalid:
            return None  # whoever put it there, it is nothing of ours

    def waited_for(self, requests: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Of these (agent, request id) those that a process waits for now; raises RedisError."""
        topics = {stream.notification(*one): one for one in requests}
        return {topics[topic] for topic in stream.subscribed(self._redis, [*topics])}

    def arrivals(self, agent: str, group: str, count: int) -> list[tuple[str, str]]:
        """What comes on an agent's stream of decisions, to one reader of a group; see `groups.read`."""
        return groups.read(self._redis, agent, group, count)

    def acknowledge(self, agent: str, group: str, entries: list[str]) -> None:
        """Those are done with; raises RedisError."""
        groups.acknowledge(self._redis, agent, group, entries)

    def leave(self, agent: str, group: str) -> None:
        """Let go of a group of readers; raises RedisError."""
        groups.leave(self._redis, agent, group)

    def ask(self, agent: str, talk_id: str, text: str, seconds: int) -> None:
        """Put a person's question where its agent finds it, for `seconds`; raises RedisError."""
        questions.publish(self._redis, agent, talk_id, text, max(seconds, 60), self._seconds)
        crash.here("talk.told")

    def has_asked(self, agent: str, talk_id: str) -> bool:
        """Whether a person's question stands where its agent finds it; raises RedisError."""
        return questions.stands(self._redis, agent, talk_id)

    def note_listening(self, agent: str) -> None:
        """A process of this agent reads people's questions by HTTP; raises RedisError."""
        questions.note_listening(self._redis, agent, self._seconds)

    def listens(self, agent: str) -> bool:
        """Whether a process of this agent reads people's questions now; raises RedisError."""
        return questions.listens(self._redis, agent)

    def unknown(self, known: Callable[[str, str], bool]) -> Iterator[tuple[str, str]]:
        """(agent, request id) of what Redis has as received and is in no row; raises RedisError.

        Not of batches: of each of their requests it is told.
        """
        for agent, request_id in stream.responses(self._redis):
            response = self.standing(agent, request_id)
            if response is None or response.status != "pending" or response.action == stream.BATCH:
                continue
            if not known(agent, request_id):
                yield agent, request_id

    def lost_instance(self) -> str | None:
        """A Redis that may have lost responses (restarted, emptied, replaced), else None."""
        instance = stream.instance_id(self._redis)
        return None if stream.known_instance(self._redis) == instance else instance

    def remember_instance(self, instance: str) -> None:
        """What that Redis lost is marked, to be published anew."""
        stream.remember_instance(self._redis, instance)

    def heard(self, start: int, end: int, now: int) -> hearing.Heard:
        """Whether people were heard between two moments (`hearing.heard`); raises RedisError."""
        return hearing.heard(hearing.read(self._redis, now), start, end, now)

    def _pointer(self, approval: Approval, seconds: int = 0) -> stream.Pointer | None:
        """Who knows no more than a request's key finds it by this, for as long as its response stands."""
        request = approval.request
        if request.key is None or not request.nonce:
            return None
        return stream.Pointer(request.nonce, max(seconds, self._seconds))

    def _put(
        self,
        agent: str,
        request_id: str,
        response: Response,
        now: int,
        over: tuple[str, ...] | None = None,
        pointer: stream.Pointer | None = None,
    ) -> bool:
        since = self._since(now)
        return stream.publish(self._redis, agent, request_id, response, self._seconds, since, over, pointer)

    def _since(self, now: int) -> int:
        """Milliseconds since 1970 before which no receipt is valid any more."""
        return now // 1000 - self._seconds * 1000
