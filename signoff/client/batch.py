"""Requests that are asked together: nothing is sent before all are there, and people see one card."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from contextvars import ContextVar, Token
from typing import Any, Protocol, Self, Unpack, cast

from signoff.client import mistakes
from signoff.client.answers import Named
from signoff.client.ask import build_for, nonce_of
from signoff.client.claims import Ask, described
from signoff.client.link import Link
from signoff.client.spend import SPEND_SECONDS, Runs
from signoff.client.ticket import AsyncTicket
from signoff.errors import AlreadySpent, Invalid, Stopped, WaitTimeout, refusal
from signoff.models import identity
from signoff.models.bodies import MAX_BATCH
from signoff.models.messages import Freeze, build
from signoff.models.receipt import ApprovedReceipt, Receipt
from signoff.queue.names import batch_id, frozen

MOST_BYTES = 32 * 1024 * 1024
"""Of all requests of a batch: a fourth of what may wait of one agent."""
LONGEST_KEY = 240
"""Characters: each request of the batch has a key that begins so."""
IRREVERSIBLE = (
    "{action}: nobody said whether it can be undone, so it counts as irreversible and has a card of its own: "
    "pass reversible=True, False or 'costly'."
)
RUNS_ELSEWHERE = "Another process was told that it may run it: {by}."
UNDECIDED = "Not all is decided yet: it stays pending, and wait() goes on waiting for it."
_open: ContextVar[bool] = ContextVar("open_batch", default=False)


class Client(Protocol):
    """What a batch needs of an AsyncSignoff."""

    @property
    def _link(self) -> Link: ...

    async def spend(self, receipt: Receipt, timeout: float | None = None) -> None: ...


class Receipts(tuple[Receipt, ...]):
    """What became of a batch, in the order in which it was asked. Look at each: `receipt.approved`."""

    @property
    def approved(self) -> tuple[ApprovedReceipt, ...]:
        """Those that may run, in that order: each with its `payload`, which a person may have edited."""
        return tuple(one for one in self if isinstance(one, ApprovedReceipt))

    @property
    def others(self) -> tuple[Receipt, ...]:
        """Those of which nothing may run: rejected, expired, withdrawn, blocked or refused."""
        return tuple(one for one in self if not isinstance(one, ApprovedReceipt))


class Draft:
    """A batch as it is made: nothing of it is sent. `client` is the one that it is made for."""

    def __init__(self, client: Client, title: str, run: str | None, key: str | None) -> None:
        if not isinstance(title, str) or not title.strip():
            raise Invalid("A batch has a title: people see it above all that is asked in it.")
        if key is not None and isinstance(key, str) and len(key) > LONGEST_KEY:
            raise Invalid(f"A batch's key has at most {LONGEST_KEY} characters.")
        build(Freeze, {"title": title, "run": run, "ids": [identity.new_id()]})
        self.client, self.title, self.run, self.key = client, title, run, key
        self.tickets: list[AsyncTicket] = []
        self.state = "new"
        self._name: str | None = None
        self._size = 0
        self._had: dict[int, Receipt] = {}
        self._spent: set[int] = set()
        self._seen: dict[tuple[str, str], int] = {}
        self._token: Token[bool] | None = None
        self._warned = False

    @property
    def name(self) -> str:
        """By which the agent and the server know it: 32 hexadecimal digits; raises ConfigError."""
        if self._name is None:
            secret = self.client._link.secret if self.key is not None else None
            made = identity.new_nonce() if self.key is None else nonce_of(f"batch {self.key}", secret)
            self._name = made
        return self._name

    def open(self) -> None:
        """The `with` begins."""
        if self.state != "new":
            raise Invalid("A batch is used once: begin another one.")
        if _open.get():
            raise Invalid("A batch is open here already: end that one first, a batch holds no other.")
        self.state, self._token = "open", _open.set(True)

    def close(self, failed: bool) -> None:
        """The `with` ends; raises Invalid where nothing was asked in it."""
        if self._token is not None:
            with suppress(ValueError):  # an asynchronous generator may end in another context
                _open.reset(self._token)
        self.state = "dropped" if failed or not self.tickets else "sent"
        if not failed and not self.tickets:
            raise Invalid("Nothing was asked in this batch.")

    def add(self, action: str, payload: Mapping[str, Any], ask: Ask) -> AsyncTicket:
        """One more request, checked as if it were sent; raises Invalid."""
        number = len(self.tickets)
        if self.state != "open":
            when = "before its `with` begins" if self.state == "new" else "once its `with` has ended"
            raise Invalid(f"Nothing is asked in a batch {when}.")
        if number >= MAX_BATCH:
            raise Invalid(f"A batch has at most {MAX_BATCH} requests: begin another one.")
        said: Ask = {**ask}
        if self.run is not None and said.get("run") is None:
            said["run"] = self.run
        if self.key is not None and said.get("key") is None:
            said["key"] = f"{self.key}/{number + 1}"
        client = self.client
        request, body, digest = build_for(client._link.who, action, payload, said, self.name)
        self._check(str(request.id), request.action, digest, len(body), number)
        if ask.get("reversible") is None and not self._warned:
            self._warned = True
            warnings.warn(IRREVERSIBLE.format(action=action), stacklevel=4)
        ticket = AsyncTicket(str(request.id), digest, client, body, request.action)  # type: ignore[arg-type]
        self.tickets.append(ticket)
        return ticket

    def _check(self, request_id: str, action: str, digest: str, size: int, number: int) -> None:
        same = self._seen.setdefault((action, digest), number)
        if same != number or any(one.id == request_id for one in self.tickets[-1:]):
            raise Invalid(f"{action}: request {same + 1} of this batch is the same. Each is asked once.")
        if self._size + size > MOST_BYTES:
            raise Invalid(f"A batch has at most {MOST_BYTES:,} bytes: begin another one.")
        self._size += size

    async def send(self) -> None:
        """All of it, and that this was all; raises Unreachable."""
        requests = [(one.id, one._body or "") for one in self.tickets]
        await self.client._link.exchange().send_batch(requests, batch_id(self.name), self._frozen())

    def _frozen(self) -> str:
        ids = [one.id for one in self.tickets]
        return build(Freeze, {"title": self.title, "run": self.run, "ids": ids}).model_dump_json(
            exclude_none=True
        )

    async def results(self, timeout: float | None, runs: Runs) -> AsyncGenerator[tuple[int, Receipt], None]:
        """(number, receipt) of each request, as they end; raises WaitTimeout, Invalid, NotVerified or
        Unreachable.
        """
        mistakes.check_timeout(timeout)
        mistakes.check_runs(runs)
        if self.state != "sent":
            raise Invalid("Nothing of this batch was sent: it is once its `with` has ended.")
        arrived: asyncio.Queue[Any] = asyncio.Queue()
        waits = [
            asyncio.ensure_future(_put(arrived, n, self._ended(n, one, timeout, runs)))
            for n, one in enumerate(self.tickets)
        ]
        waits.append(asyncio.ensure_future(_put(arrived, -1, self._refusal())))
        late = 0
        try:
            for _ in self.tickets:
                number, found = await arrived.get()
                if isinstance(found, WaitTimeout | TimeoutError) and not getattr(found, "approved", False):
                    late += 1
                elif isinstance(found, BaseException):
                    raise found
                else:
                    yield number, found
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if late:
            raise WaitTimeout(
                f"{late} of {len(self.tickets)} requests wait still, after {timeout:g} s.", UNDECIDED
            )

    async def _refusal(self) -> Receipt:
        """Waits for as long as nobody says that the batch itself is at fault; raises that."""
        answers, entry, body = self.client._link.answers(), batch_id(self.name), self._frozen()
        response = await answers.exchange.refused(entry, body)
        receipt = answers.accept(response, Named(frozen(entry, body.encode())))
        raise refusal(receipt, receipt.reason)

    async def _ended(self, number: int, ticket: AsyncTicket, timeout: float | None, runs: Runs) -> Receipt:
        """Its receipt; an approval is spent, where that is wanted and was not done before."""
        receipt = self._had.get(number)
        if receipt is None:
            answers, request = self.client._link.answers(), Named(ticket.id, ticket.digest)
            response = await answers.exchange.wait(request.id, timeout, ticket._body)
            receipt = self._had[number] = answers.accept(response, request)
        if runs == "once" and isinstance(receipt, ApprovedReceipt) and number not in self._spent:
            try:
                await self.client.spend(receipt, None if timeout is None else max(SPEND_SECONDS, timeout))
            except AlreadySpent as error:
                return _not_mine(receipt, error)
            except Stopped as error:
                return cast(Receipt, error.receipt)
            self._spent.add(number)
            self.client._link.spent.add(receipt.token)
        return receipt


async def _put(arrived: asyncio.Queue[Any], number: int, work: Any) -> None:
    """What came of it, result or error, by its number."""
    try:
        found = await work
    except Exception as error:
        found = error
    arrived.put_nowait((number, found))


def _not_mine(receipt: ApprovedReceipt, error: AlreadySpent) -> Receipt:
    """What stands in the place of an approval that another process runs: nothing runs by it here."""
    if isinstance(error.receipt, Receipt) and not error.receipt.approved:
        return error.receipt
    said = {"status": "duplicate", "payload": None, "token": "", "decided_by": None}
    reason = RUNS_ELSEWHERE.format(by=error.by or "it is not known which")
    return Receipt.model_validate({**receipt.model_dump(), **said, "reason": reason})


class AsyncBatch:
    """A batch for asyncio: `async with signoff.batch("Clean up 40 branches") as b: b.request(...)`.

    Nothing is sent before the end of the block, and nothing at all where it raises. Then all is sent, and
    people see one card; what the policy does not let share it has a card of its own.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    @property
    def tickets(self) -> tuple[AsyncTicket, ...]:
        """Of its requests, in order. Each may be waited for by itself."""
        return tuple(self._draft.tickets)

    @described(Ask)
    def request(self, action: str, payload: Mapping[str, Any], **ask: Unpack[Ask]) -> AsyncTicket:
        """One more request: checked at once, and sent with the others. Raises Invalid.

        `action` and `payload` are those of `AsyncSignoff.ask`. It has the batch's key and run, unless it
        brings its own.
        """
        return self._draft.add(action, payload, ask)

    async def wait(self, timeout: float | None = None, *, runs: Runs = "once") -> Receipts:
        """What became of all of it, in order, once nothing of it waits: receipts of any status.

        `timeout` is in seconds; WaitTimeout where something waits still (what came until then, `results`
        gives). `runs` is "once": each approval is spent before it comes back, as `ask` does, so that this
        process alone may run it (`spend` is then content with it, once); one that another process runs comes
        back as a duplicate. With "at-least-once" nothing is spent: spend each right before it runs.
        """
        found: dict[int, Receipt] = {}
        async with aclosing(self._draft.results(timeout, runs)) as arrivals:
            async for number, receipt in arrivals:
                found[number] = receipt
        return Receipts(found[number] for number in range(len(found)))

    async def results(
        self, timeout: float | None = None, *, runs: Runs = "once"
    ) -> AsyncGenerator[Receipt, None]:
        """Each receipt as it comes, of any status; `wait` says what is spent, and what is raised."""
        async with aclosing(self._draft.results(timeout, runs)) as arrivals:
            async for _, receipt in arrivals:
                yield receipt

    wait_async = wait
    results_async = results

    async def __aenter__(self) -> Self:
        self._draft.open()
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        self._draft.close(kind is not None)
        if kind is None:
            await self._draft.send()
