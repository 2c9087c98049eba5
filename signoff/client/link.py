"""What joins a client to its server: settings, connections, whose signatures it takes, how it finds requests.

Nothing is looked up or connected before it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signoff import receipts
from signoff.client import mistakes
from signoff.client.answers import Answers, Named
from signoff.client.ask import nonce_of
from signoff.client.inquiries import Inquiries
from signoff.client.pending import REQUESTS, UNKNOWN_KEY, Pending
from signoff.client.settings import Settings, load_settings
from signoff.errors import Invalid, NotVerified
from signoff.models.messages import Cancel, build, moment
from signoff.models.receipt import DEPLOYMENT, Receipt

if TYPE_CHECKING:
    from signoff.client.exchange import Exchange, RedisExchange


@dataclass(frozen=True)
class Substitute:
    """What clients use in tests instead of Redis and their own settings: see `signoff.testing`."""

    exchange: Exchange
    agent: str
    verify_keys: receipts.VerifyKeys
    deployment: str = DEPLOYMENT


CANCEL_SECONDS = 10.0
"""How long cancel() waits for the server's response."""
NOTHING_RAN = "It is a question, and is answered: nothing ran under it, so there is nothing to report."
UNHEARD = "No server has said that it is withdrawn: it may still be decided."
Given = tuple[str | None, str | None, str | None]


class Link:
    """One client's. `given` are its settings that do not come from the environment: Redis, agent, key."""

    def __init__(self, given: Given, substitute: Callable[[], Substitute | None]) -> None:
        self._given = given
        self._substitute = substitute
        self._settings: Settings | None = None
        self._exchange: RedisExchange | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.spent: set[str] = set()
        """Receipts (tokens) that a batch has spent for this process, until somebody asks to spend them."""
        self.inquiries = Inquiries(self)
        self._highest = 0

    @property
    def agent(self) -> str:
        """The agent's name; raises ConfigError."""
        substitute = self._substitute()
        return substitute.agent if substitute else self._load_settings().agent

    @property
    def secret(self) -> str | None:
        """The agent's own secret, where it has one."""
        return None if self._substitute() else self._load_settings().secret

    def who(self) -> tuple[str, str | None]:
        """Agent and secret; raises ConfigError."""
        return self.agent, self.secret

    def keys(self) -> tuple[receipts.VerifyKeys, str]:
        """Whose signatures are taken, and in the name of which deployment."""
        given = self._substitute() or self._load_settings()
        return given.verify_keys, given.deployment

    def exchange(self) -> Exchange:
        """What asks and waits, of the event loop that runs; from then on people's questions are answered."""
        exchange = self._exchange_here()
        self.inquiries.wake()
        return exchange

    def _exchange_here(self) -> Exchange:
        if substitute := self._substitute():
            return substitute.exchange
        loop = asyncio.get_running_loop()
        if self._exchange is None or self._loop is not loop:
            from signoff.client.exchange import RedisExchange

            settings = self._load_settings()
            self._exchange = RedisExchange(settings.redis_url, settings.agent, settings.fix)
            self._loop = loop
        return self._exchange

    async def heed(self, receipt: Receipt) -> None:
        """Raise Stopped where people have stopped what this receipt lets run, or nobody can tell."""
        from signoff.client.heed import heed

        found = await heed(self.exchange(), *self.keys(), receipt, self._highest)
        self._highest = max(self._highest, found)

    def answers(self) -> Answers:
        """What comes back, verified."""
        return Answers(self.exchange(), self.agent, *self.keys())

    async def find(self, request_id: str | None, key: str | None) -> Named | None:
        """The request of this id or key; None where no server knows one with this key."""
        request_id = mistakes.checked_name(request_id, key)
        if key is None:
            return Named(request_id)
        return await self.answers().by_key(nonce_of(key, self.secret))

    async def named(self, request_id: str | None, key: str | None, asks: str = REQUESTS) -> Named:
        """The same; raises Invalid where no server knows one with this key, which is asked with `asks`."""
        if found := await self.find(request_id, key):
            return found
        raise Invalid(UNKNOWN_KEY.format(key=key, agent=self.agent, asks=asks))

    async def state(self, request_id: str | None, key: str | None) -> Receipt | Pending | None:
        """A request's state now: see `AsyncSignoff.get`."""
        request = await self.find(request_id, key)
        response = await self.exchange().lookup(request.id) if request else None
        if response is None or request is None:
            return None
        if response.status != "pending":
            return self.answers().accept(response, request)
        expires_at = moment(response.expires_at) if response.expires_at else None
        return Pending(request.id, response.action or "", expires_at, held=response.held or "")

    async def withdraw(self, request_id: str, reason: str) -> None:
        """Say that a request is withdrawn."""
        body = build(Cancel, {"reason": reason}).model_dump_json()
        await self.exchange().send("cancel", mistakes.checked_id(request_id), body)

    async def cancel(self, request_id: str | None, key: str | None, reason: str) -> Receipt:
        """Withdraw a request, and wait for what became of it: see `AsyncSignoff.cancel`."""
        request = await self.named(request_id, key)
        await self.withdraw(request.id, reason)
        answers = self.answers()
        return answers.accept(await answers.final(request, CANCEL_SECONDS, says=UNHEARD), request)

    async def report(self, request_id: str | None, key: str | None, body: str) -> None:
        """Say what became of an approved action: see `AsyncSignoff.report`. An answer lets nothing run."""
        request = await self.named(request_id, key)
        if key is not None:
            await self.state(None, key)  # raises NotVerified where the key leads to another request
        with suppress(NotVerified):
            found = await self.state(request.id, None)
            if found is not None and found.status == "answered":
                raise Invalid(NOTHING_RAN, found if isinstance(found, Receipt) else None)
        await self.exchange().send("outcome", request.id, body)

    @property
    def is_closed(self) -> bool:
        """True while it holds no connection."""
        return self._substitute() is None and self._exchange is None

    async def close(self) -> None:
        """Let the connections go; it may be used again."""
        await self.inquiries.close()
        exchange, self._exchange = self._exchange, None
        if exchange:
            await exchange.close()

    def _load_settings(self) -> Settings:
        if self._settings is None:
            self._settings = load_settings(*self._given)
        return self._settings
