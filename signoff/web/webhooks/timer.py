"""The worker's timer: whatever is due is posted, each endpoint by itself, so that none waits for another."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from signoff.models import crash, deliveries, outbox, webhooks
from signoff.models.engine import OUTAGE
from signoff.models.outbox import FORGOTTEN, Message
from signoff.models.store import MICROSECONDS, Store
from signoff.queue.tally import Tally
from signoff.signatures import Signer
from signoff.web.webhooks.hosts import Hosts

if TYPE_CHECKING:
    from signoff.web.webhooks.post import Answer, Post

log = logging.getLogger("signoff.webhooks")

LOOK_SECONDS = 0.5
"""How often a worker looks for what is due."""
AT_ONCE = 4
"""Messages on their way to one endpoint from one worker; one, where the last has failed."""
IN_ALL = 200
"""And to all of them."""
PATIENCE_SECONDS = 5 * 86_400
"""An endpoint that has taken nothing for so long is switched off at the next try that fails."""
DRAIN_SECONDS = 4.0
"""What is on its way when the worker is told to stop may take so long; then it is sent again by another."""
TIDY_SECONDS = 3600.0
GONE = 410


@dataclass(frozen=True)
class Fallen:
    """An endpoint that admins hear of: why, and whether it was switched off by that."""

    endpoint: str
    agent: str
    why: str
    off: bool


class Outbox:
    """Posts what is due. Any number of workers may do so at once: each message is claimed in the database.

    `tell` tells the admins, and is False where none could be told. `post` is made when it is first needed:
    aiohttp is not loaded where there is no webhook.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        public_url: str,
        hosts: Hosts,
        tell: Callable[[Sequence[str]], bool],
        post: Post | None = None,
    ) -> None:
        self._store = store
        self._signer = signer
        self._public_url = public_url
        self._hosts = hosts
        self._tell = tell
        self._post = post
        self._tidied = time.monotonic()
        self._tally = Tally(log)

    def run(self, stop: Event) -> None:
        """Every half second until `stop` is set."""
        while not stop.wait(LOOK_SECONDS):
            self.step(stop)

    def step(self, stop: Event | None = None) -> None:
        """Post all that is due, and what comes to be due meanwhile. Raises nothing: what fails stays due."""
        try:
            if outbox.ready(self._store):
                asyncio.run(self._round(stop or Event()))
            self._tidy()
        except OUTAGE as error:
            self._tally.add("webhooks paused", detail=type(error).__name__)

    async def _round(self, stop: Event) -> None:
        """Until nothing is due and nothing on its way."""
        running: dict[asyncio.Task[None], str] = {}
        while True:
            if not stop.is_set():
                for message in self._claimed(list(running.values())):
                    running[asyncio.create_task(self._one(message))] = message.endpoint_id
            if not running:
                return
            if stop.is_set():
                await asyncio.wait(running, timeout=DRAIN_SECONDS)
                return  # what is not done is cancelled with this loop, and due again in a while
            done, _ = await asyncio.wait(running, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del running[task]

    def _tidy(self) -> None:
        """Once an hour, also while there is always something on its way."""
        if time.monotonic() - self._tidied > TIDY_SECONDS:
            self._tidied = time.monotonic()
            deliveries.tidy(self._store)

    def _claimed(self, busy: list[str]) -> list[Message]:
        """What is due where there is room, `busy` being the endpoints that something is on its way to."""
        found: list[Message] = []
        try:
            self._tidy()
            for endpoint, fails in outbox.ready(self._store):
                most = 1 if fails else AT_ONCE
                room = min(most - busy.count(endpoint), IN_ALL - len(busy) - len(found))
                if room > 0:
                    found += outbox.claim(self._store, endpoint, room)
        except OUTAGE as error:
            self._tally.add("webhooks paused", detail=type(error).__name__)
        return found

    async def _one(self, message: Message) -> None:
        try:
            answer = await self._posted(message)
            crash.here("webhook.posted")
            fallen = self._noted(message, answer)
        except OUTAGE as error:
            kind = "an answer was not noted, so its message is sent again"
            self._tally.add(kind, detail=type(error).__name__)
            return
        except Exception as error:
            # Its text may repeat an address or an answer: only the type is logged.
            log.error("a webhook failed: id=%s %s", message.id, type(error).__name__)
            return
        if fallen is not None:
            # In a thread of its own: Slack may take its time, and other messages wait for none of it.
            Thread(target=self._tell_of, args=(fallen,), name="webhook", daemon=True).start()

    async def _posted(self, message: Message) -> Answer:
        from signoff.web.webhooks.letters import Letters
        from signoff.web.webhooks.post import Answer, Post

        if message.about is None:
            return Answer(fault=FORGOTTEN)
        if self._post is None:
            self._post = Post(self._hosts)
        return await self._post.send(Letters(self._signer, self._public_url).about(message))

    def _noted(self, message: Message, answer: Answer) -> Fallen | None:
        """What came of it is in the rows; who has to hear of it, where somebody has."""
        if answer.taken and answer.status is not None:
            outbox.note_taken(self._store, message, answer.status)
            log.info("webhook sent: id=%s try=%d", message.id, message.attempts)
            return None
        log.info("webhook not taken: id=%s try=%d: %s", message.id, message.attempts, answer.said)
        with self._store.transaction() as connection:
            failed = outbox.note_failed(connection, message, answer.status, answer.said, answer.rest)
            if failed is None:
                return None
            too_long = failed.now - failed.since > PATIENCE_SECONDS * MICROSECONDS
            if answer.status == GONE or too_long:
                days = PATIENCE_SECONDS // 86_400
                why = "it answered 410 Gone" if answer.status == GONE else f"it took nothing for {days} days"
                off = webhooks.switch_off(connection, message.endpoint_id, why, webhooks.SIGNOFF)
                return Fallen(message.endpoint_id, message.agent, why, True) if off else None
        if failed.given_up and webhooks.tell_once(self._store, message.endpoint_id):
            return Fallen(message.endpoint_id, message.agent, answer.said, False)
        return None

    def _tell_of(self, fallen: Fallen) -> None:
        named = f"The webhook {fallen.endpoint} of {fallen.agent}"
        if fallen.off:
            what = (
                f"{named} was switched off: {fallen.why}. Once it works: `signoff webhooks on "
                f"{fallen.endpoint}`, then `signoff webhooks replay {fallen.endpoint} --since 5d` for what "
                "was not sent."
            )
        else:
            what = (
                f"{named} has not taken a message in {len(outbox.SCHEDULE)} tries: {fallen.why}. Once it "
                f"works: `signoff webhooks replay {fallen.endpoint}`."
            )
        log.warning("%s", what)
        try:
            told = self._tell([what])
        except Exception as error:
            log.warning("admins not told of a webhook: %s", type(error).__name__)
            told = False
        if not told and not fallen.off:
            try:
                webhooks.not_told(self._store, fallen.endpoint)
            except OUTAGE:
                log.warning("admins are not told of %s again today", fallen.endpoint)
