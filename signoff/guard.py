"""The guard stands where the credential is: it checks a receipt and spends it, right before its action runs.

    guard = Guard("sqlite:////var/lib/shop/spent.db", keys="ed25519:…", agents=["billing-bot"])

    @guard.protects("refund.create")
    def refund(customer: str, amount: int) -> str: ...

    refund(receipt, payload)

A gate in the agent's own process cannot stop an agent that was talked into something; this can, where the
agent does not hold the credential. See docs/executor.md.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

from signoff import receipts, signatures
from signoff.errors import AlreadySpent, ConfigError, NotVerified, Stopped, Unreachable
from signoff.models.identity import process_name
from signoff.models.receipt import DEPLOYMENT, Receipt
from signoff.spent import Spent, Store, open_store
from signoff.stops import FRESH_SECONDS, Heed, Source, open_source

F = TypeVar("F", bound=Callable[..., Any])

WATCH_SECONDS = 2.0
MARGIN = timedelta(hours=1)
"""How long after its end a receipt is still remembered: clocks of executors differ."""


class Stops(Protocol):
    """A word of your own on whether an agent is stopped, beside the server's or in its place."""

    def stopped(self, agent: str, action: str) -> str:
        """Why this agent may not run this now; empty where it may. What it raises counts as stopped."""


class Guard:
    """Checks receipts and spends each once, over any number of processes that share `store`.

    `store` is a Store, or where one is: see `signoff.spent.open_store`. `keys` are the server's public keys
    (`ed25519:…`, as text or read), `agents` the names of those whose receipts are taken here, `deployment`
    the server's SIGNOFF_DEPLOYMENT.

    `stops` is where the guard hears what people have stopped: the server's URL (with `stops_token`, a token
    of this guard's), its Redis's, or a `signoff.stops.Source`; each word of it may be `fresh` seconds old,
    and where none is that young, nothing runs. Without it a stop does not reach this guard. Raises
    ConfigError.
    """

    def __init__(
        self,
        store: Store | str,
        keys: signatures.VerifyKeys | str,
        *,
        agents: Collection[str],
        stops: Source | Stops | str | None = None,
        stops_token: str = "",
        fresh: float = FRESH_SECONDS,
        deployment: str = DEPLOYMENT,
    ) -> None:
        if isinstance(agents, str) or not agents:
            raise ConfigError("A guard has to know whose receipts it takes: agents=['billing-bot'].")
        self._store = open_store(store) if isinstance(store, str) else store
        self._keys = signatures.verify_keys(keys) if isinstance(keys, str) else keys
        self._agents = frozenset(agents)
        self._deployment = deployment
        if isinstance(stops, str):
            stops = open_source(stops, stops_token)
        heeds = stops is not None and hasattr(stops, "statement")
        noted = getattr(self._store, "highest", None)
        self._heed = Heed(cast(Source, stops), self._keys, deployment, fresh, noted) if heeds else None
        self._stops = None if heeds else cast("Stops | None", stops)

    def check(self, receipt: Receipt | str, payload: Mapping[str, Any], *, action: str) -> dict[str, Any]:
        """All of `spend` but the spending: the payload that may run, if nobody has run it."""
        return self._checked(receipt, payload, action)[1]

    def spend(
        self, receipt: Receipt | str, payload: Mapping[str, Any], *, action: str, by: str | None = None
    ) -> dict[str, Any]:
        """The payload to run, once, now: `payload` is what is about to run, `action` what it is.

        `by` names this one try to run it, as `process_name` does; who says the same name again, since the
        answer was lost, is told the same again.

        Raises NotVerified, a NotApproved (what was decided), OtherAction, OtherPayload, Invalid (`payload`
        is not canonical JSON), Stopped, AlreadySpent, or Unreachable (the store): then nothing may run.
        """
        checked, run = self._checked(receipt, payload, action)
        self._heed_stops(checked)
        kid = signatures.kid_of(checked.token)
        by, at = by or process_name(), datetime.now(UTC)
        try:
            first = self._store.spend(
                (kid, checked.agent, checked.id), Spent(by, at), until=checked.not_after + MARGIN
            )
        except OSError as error:
            raise Unreachable(f"The guard's store: {type(error).__name__}. Nothing was run.") from None
        if first.by != by:
            raise AlreadySpent(first.by, first.at, receipt=checked)
        return run

    def protects(self, action: str) -> Callable[[F], Callable[..., Any]]:
        """Decorator: the function is called with a receipt and a payload, and runs once with just that.

        `function(receipt, payload)`; the payload's members become the function's arguments by name. What
        stands before the two (`self`, say) is passed on. A payload that the function cannot take raises
        TypeError before anything is spent.
        """

        def decorate(function: F) -> Callable[..., Any]:
            takes = inspect.signature(function)

            def ready(before: tuple[Any, ...], receipt: Receipt | str, payload: Mapping[str, Any]) -> Any:
                takes.bind(*before, **self.check(receipt, payload, action=action))
                return self.spend(receipt, payload, action=action)

            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def guarded_async(*given: Any) -> Any:
                    before, receipt, payload = _parted(given)
                    run = await asyncio.to_thread(ready, before, receipt, payload)
                    return await function(*before, **run)

                return guarded_async

            @functools.wraps(function)
            def guarded(*given: Any) -> Any:
                before, receipt, payload = _parted(given)
                return function(*before, **ready(before, receipt, payload))

            return guarded

        return decorate

    def _checked(
        self, receipt: Receipt | str, payload: Mapping[str, Any], action: str
    ) -> tuple[Receipt, dict[str, Any]]:
        token = receipt.token if isinstance(receipt, Receipt) else receipt
        agent = signatures.audience_of(token)
        if agent not in self._agents:
            raise NotVerified("It is of an agent whose receipts are not taken here.")
        checked = receipts.verify(token, self._keys, agent, issuer=self._deployment)
        return checked, receipts.bind(checked, action=action, payload=payload)

    def watch(self, seconds: float = WATCH_SECONDS) -> None:
        """Look every few seconds what is stopped, in a thread: so that a guard
        that nobody asks confirms a stop, too.

        Raises ConfigError where it hears of none.
        """
        if self._heed is None:
            raise ConfigError("A guard that is to watch needs stops=…: where it hears what is stopped.")
        threading.Thread(target=self._keep_looking, args=(seconds,), daemon=True).start()

    def _keep_looking(self, seconds: float) -> None:
        assert self._heed is not None
        while True:
            with suppress(Stopped, OSError):
                self._heed.newest()
            time.sleep(seconds)

    def _heed_stops(self, receipt: Receipt) -> None:
        if self._heed is not None:
            try:
                self._heed.check(receipt)
            except OSError as error:
                raise Unreachable(f"The guard's store: {type(error).__name__}. Nothing was run.") from None
        if self._stops is None:
            return
        try:
            why = self._stops.stopped(receipt.agent, receipt.action)
        except Exception as error:
            raise Stopped(f"Whether it is stopped cannot be told: {type(error).__name__}.") from None
        if why:
            raise Stopped(why, receipt)


def _parted(given: tuple[Any, ...]) -> tuple[tuple[Any, ...], Receipt | str, Mapping[str, Any]]:
    """What a guarded function was called with → what stands before, the receipt, the payload."""
    if len(given) < 2:
        raise TypeError("A guarded function is called with a receipt and a payload.")
    *before, receipt, payload = given
    return tuple(before), receipt, payload
