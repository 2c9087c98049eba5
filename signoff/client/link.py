"""What joins a client to its server: settings, connections, whose signatures it takes, how it finds requests.

Nothing is looked up or connected before it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signoff import receipts
from signoff.client import mistakes
from signoff.client.answers import Answers, Named
from signoff.client.ask import nonce_of
from signoff.client.inquiries import Inquiries
from signoff.client.pending import UNKNOWN_KEY
from signoff.client.settings import Settings, load_settings
from signoff.errors import Invalid
from signoff.models.receipt import DEPLOYMENT

if TYPE_CHECKING:
    from signoff.client.exchange import Exchange, RedisExchange


@dataclass(frozen=True)
class Substitute:
    """What clients use in tests instead of Redis and their own settings: see `signoff.testing`."""

    exchange: Exchange
    agent: str
    verify_keys: receipts.VerifyKeys
    deployment: str = DEPLOYMENT


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

    def answers(self) -> Answers:
        """What comes back, verified."""
        return Answers(self.exchange(), self.agent, *self.keys())

    async def find(self, request_id: str | None, key: str | None) -> Named | None:
        """The request of this id or key; None where no server knows one with this key."""
        request_id = mistakes.checked_name(request_id, key)
        if key is None:
            return Named(request_id)
        return await self.answers().by_key(nonce_of(key, self.secret))

    async def named(self, request_id: str | None, key: str | None) -> Named:
        """The same; raises Invalid where no server knows one with this key."""
        if found := await self.find(request_id, key):
            return found
        raise Invalid(UNKNOWN_KEY.format(key=key, agent=self.agent))

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
