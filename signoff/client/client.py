"""What an agent calls: ask for approval, wait, and be given what to run.

`AsyncSignoff` is the one implementation; `signoff.client.face.Signoff` is its thin blocking face.

    signoff = AsyncSignoff()
    receipt = await signoff.ask("refund.create", {"customer": "cus_42", "amount": 120}, reversible=False)
    refund(**receipt.payload)
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeVar, Unpack, overload

from signoff import receipts
from signoff.client import asked, mistakes
from signoff.client.ask import build_for
from signoff.client.claims import Ask, Options, described
from signoff.client.exchange import Exchange, RedisExchange
from signoff.client.inbox import Delivery, Inbox
from signoff.client.pending import UNSEEN, Pending
from signoff.client.settings import Settings, load_settings
from signoff.client.spend import Runs, spend
from signoff.errors import NOT_APPROVED, NotApproved, NotVerified, SignoffError, WaitTimeout
from signoff.models import crash
from signoff.models.messages import Cancel, Outcome, Response, build, moment
from signoff.models.receipt import DEPLOYMENT, ApprovedReceipt, Receipt

log = logging.getLogger("signoff")

CANCEL_SECONDS = 10.0
"""How long cancel() waits for the server's response."""
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Substitute:
    """What clients use in tests instead of Redis and their own settings: see `signoff.testing`."""

    exchange: Exchange
    agent: str
    verify_keys: receipts.VerifyKeys
    deployment: str = DEPLOYMENT


substitute: Substitute | None = None
"""Set by `signoff.testing` while a test runs."""


@dataclass(frozen=True)
class AsyncTicket:
    """A request that was sent. `digest` is its payload's, None where this process did not send it."""

    id: str
    digest: str | None
    _client: AsyncSignoff
    _body: str | None = field(default=None, repr=False, compare=False)
    _action: str = field(default="", repr=False, compare=False)

    async def wait(self, timeout: float | None = None) -> ApprovedReceipt:
        """The verified receipt, once approved: run `receipt.payload`, nothing else.

        `timeout` is in seconds; None waits until the request ends. Raises a NotApproved when it ends
        otherwise, WaitTimeout (it stays pending), Unreachable, or NotVerified.
        """
        mistakes.check_timeout(timeout)
        try:
            return await self._client._wait_for_receipt(self.id, self.digest, timeout, self._body)
        except NotApproved as error:
            error.action = error.action or self._action
            raise

    async def get(self) -> Receipt | Pending | None:
        """Its state now."""
        return await self._client.get(self.id)

    async def cancel(self, reason: str = "") -> Receipt:
        """Withdraw it."""
        return await self._client.cancel(self.id, reason)


class AsyncSignoff:
    """An agent's client for asyncio. Settings that are not given come from the environment.

    Nothing is looked up or connected before the first call. Belongs to the event loop it is used in.
    """

    def __init__(
        self, *, redis_url: str | None = None, agent: str | None = None, verify_key: str | None = None
    ) -> None:
        self._given = (redis_url, agent, verify_key)
        self._settings: Settings | None = None
        self._exchange: RedisExchange | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._warned = False

    @property
    def agent(self) -> str:
        """This agent's name; raises ConfigError."""
        return substitute.agent if substitute else self._load_settings().agent

    @described(Ask)
    async def request(self, action: str, payload: Mapping[str, Any], **ask: Unpack[Ask]) -> AsyncTicket:
        """Ask, and go on. `ask` is described at `signoff.client.ask.Ask`.

        Raises Invalid (nothing was sent) or Unreachable. With a `key`, asking again attaches to the first.
        """
        request, body, digest = build_for(lambda: (self.agent, self._secret()), action, payload, ask)
        if ask.get("reversible") is None and not self._warned:
            self._warned = True
            warnings.warn(
                f"{action}: nobody said whether it can be undone, so it counts as irreversible: "
                "pass reversible=True, False or 'costly'.",
                stacklevel=2,
            )
        await self._current_exchange().send("request", str(request.id), body)
        return AsyncTicket(str(request.id), digest, self, body, action)

    @described(Ask)
    async def ask(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: float | None = None,
        runs: Runs = "once",
        **ask: Unpack[Ask],
    ) -> ApprovedReceipt:
        """Ask, wait, and spend the approval: what comes back may run now, with its `payload`.

        `action` names what is to run, as `refund.create`: letters, digits and . _ : / @ -, at most 100.
        `payload` is what it runs with: a dict of JSON values, which people see and may edit.
        `timeout` is in seconds; None waits until the request ends.
        `runs` is "once": one process alone may run it; with "at-least-once" nothing is spent, and every
        process that asks with the same `key` may run it until one has reported.
        """
        mistakes.check_timeout(timeout)
        mistakes.check_runs(runs)
        sent = self.request(action, payload, **ask)
        return await asked.approved(self, sent, timeout, runs, ask.get("key"))

    ask_async = ask

    def resume(self, request_id: str, digest: str | None = None) -> AsyncTicket:
        """The ticket of a request sent before: after a crash, or in another process.

        `digest` is `ticket.digest`, where it was kept: with it a receipt for other content is refused. A
        request that no server knows cannot be sent again from its id: wait for it with a timeout.
        """
        return AsyncTicket(mistakes.checked_id(request_id), digest, self)

    async def get(self, request_id: str) -> Receipt | Pending | None:
        """A request's state now: its receipt, Pending, or None (the server has not seen it, or forgot).

        The receipt may be of any status: look at `receipt.approved`. Raises Unreachable or NotVerified.
        """
        response = await self._current_exchange().lookup(mistakes.checked_id(request_id))
        if response is None:
            return None
        if response.status != "pending":
            return self._accept(response, request_id, None)
        expires_at = moment(response.expires_at) if response.expires_at else None
        return Pending(request_id, response.action or "", expires_at)

    async def received(self, request_id: str, timeout: float) -> bool:
        """Whether a server has taken the request within `timeout` seconds."""
        return await self._current_exchange().is_received(mistakes.checked_id(request_id), timeout)

    async def cancel(self, request_id: str, reason: str = "") -> Receipt:
        """Withdraw a request; the receipt says `cancelled`, or what had been decided before.

        Raises WaitTimeout when no server responds within 10 s: then it may still be decided.
        """
        await self._withdraw(request_id, reason)
        return self._accept(await self._wait_for_final(request_id, CANCEL_SECONDS), request_id, None)

    async def _withdraw(self, request_id: str, reason: str) -> None:
        body = build(Cancel, {"reason": reason}).model_dump_json()
        await self._current_exchange().send("cancel", mistakes.checked_id(request_id), body)

    async def spend(self, receipt: Receipt, timeout: float | None = None) -> None:
        """Have this process be the one that runs what was approved; before it runs.

        Raises AlreadySpent where another one runs it, or has; WaitTimeout where no server says so within
        `timeout` seconds (then it is not known: do not run it), Unreachable or NotVerified.
        """
        mistakes.check_receipt(receipt)
        mistakes.check_timeout(timeout)
        keys, issuer = self._keys()
        await spend(self._current_exchange(), keys, issuer, receipt, timeout)

    async def report(self, request_id: str, *, succeeded: bool, note: str = "") -> None:
        """Say what became of an approved action: its card shows it. `note` has at most 4,000 characters."""
        body = build(Outcome, {"succeeded": succeeded, "note": note}).model_dump_json()
        await self._current_exchange().send("outcome", mistakes.checked_id(request_id), body)
        crash.here("client.reported")

    report_async = report

    async def decisions(self, group: str = "default") -> AsyncGenerator[Delivery, None]:
        """Every decision on this agent's requests, for ever, as it arrives: `await delivery.ack()` each.

        What is not acknowledged comes again, after a minute to whichever process of the same `group` reads;
        duplicates are dropped. Receipts that do not verify are acknowledged and passed over.
        """
        if substitute:
            raise SignoffError("decisions() needs a server: it is not there while signoff.testing is used.")
        settings = self._load_settings()
        inbox = Inbox(settings.redis_url, settings.agent, group)
        try:
            async with aclosing(inbox.ids()) as arrivals:
                async for entry, request_id in arrivals:
                    try:
                        response = await self._current_exchange().lookup(request_id)
                        receipt = self._accept(response, request_id, None) if response else None
                    except NotVerified:
                        receipt = None
                    if receipt is None:
                        await inbox.ack(entry)  # its time is over, or somebody forged it: never to be run
                        continue
                    yield Delivery(receipt, partial(inbox.ack, entry))
        finally:
            await inbox.close()

    @overload
    def require_approval(self, function: F, /) -> F: ...
    @overload
    def require_approval(self, function: None = None, /, **options: Unpack[Options]) -> Callable[[F], F]: ...
    @described(Options)
    def require_approval(self, function: Any = None, /, **options: Any) -> Any:
        """Decorator: asks before the function runs. See `signoff.client.gate.require_approval`.

        Its options, and all that `Ask` says but `schema`:
        """
        from signoff.client import gate

        return gate.require_approval(self, function, **options)

    async def close(self) -> None:
        """Let the connections go. The client may be used again."""
        exchange, self._exchange = self._exchange, None
        if exchange:
            await exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _load_settings(self) -> Settings:
        if self._settings is None:
            self._settings = load_settings(*self._given)
        return self._settings

    def _current_exchange(self) -> Exchange:
        if substitute:
            return substitute.exchange
        loop = asyncio.get_running_loop()
        if self._exchange is None or self._loop is not loop:
            settings = self._load_settings()
            self._exchange = RedisExchange(settings.redis_url, settings.agent, settings.fix)
            self._loop = loop
        return self._exchange

    def _accept(self, response: Response, request_id: str, digest: str | None) -> Receipt:
        keys, issuer = self._keys()
        return receipts.accept(
            response, keys, agent=self.agent, request_id=request_id, digest_sent=digest, issuer=issuer
        )

    def _is_closed(self) -> bool:
        return substitute is None and self._exchange is None

    def _keys(self) -> tuple[receipts.VerifyKeys, str]:
        """Whose signatures are taken, and in the name of which deployment."""
        given = substitute or self._load_settings()
        return given.verify_keys, given.deployment

    def _secret(self) -> str | None:
        return None if substitute else self._load_settings().secret

    async def _wait_for_final(
        self, request_id: str, timeout: float | None, body: str | None = None
    ) -> Response:
        try:
            return await self._current_exchange().wait(request_id, timeout, body)
        except TimeoutError:
            unseen = await self._unseen(request_id)
            raise WaitTimeout(f"Request {request_id}, after {timeout:g} s.{unseen}") from None

    async def _unseen(self, request_id: str) -> str:
        """What is to be said of a request that no server has taken; nothing of one that is pending."""
        try:
            known = await self._current_exchange().lookup(request_id)
        except SignoffError:
            return ""
        return "" if known else UNSEEN.format(agent=self.agent)

    async def _wait_for_receipt(
        self, request_id: str, digest: str | None, timeout: float | None, body: str | None
    ) -> ApprovedReceipt:
        response = await self._wait_for_final(request_id, timeout, body)
        crash.here("client.answered")
        receipt = self._accept(response, request_id, digest)
        crash.here("client.verified")
        if isinstance(receipt, ApprovedReceipt):
            return receipt
        who = f"{receipt.decided_by.name}: " if receipt.decided_by else ""
        why = f" Why: {receipt.why}." if receipt.status == "blocked" and receipt.why else ""
        raise NOT_APPROVED[receipt.status](f"{who}{receipt.reason}{why}".strip(), receipt)
