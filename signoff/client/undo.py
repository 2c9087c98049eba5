"""What undoes an action, on the agent's side: a function that takes the undos that people have approved.

It registers, listens on the agent's stream of decisions as a group of its own, and runs exactly what the
receipt of an undo says: once, as the process that has spent it. What has no `undoes` it never runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import itertools
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from signoff.client import exit, mistakes
from signoff.client.arguments import Arguments, Bound
from signoff.client.carrier import Encode
from signoff.client.link import Link
from signoff.client.spend import spend
from signoff.client.undo_arrivals import GROUP, TAKE_OVER_MS, TEST, Arrivals, Left
from signoff.errors import AlreadySpent, ConfigError, Invalid, NotVerified, SignoffError, Stopped, Unreachable
from signoff.models import crash
from signoff.models.bodies import CanUndo, UndoTest
from signoff.models.identity import new_id, process_name
from signoff.models.receipt import ApprovedReceipt

log = logging.getLogger("signoff")

BEAT_SECONDS = 15.0
"""How often a process says that it is still there to undo."""
PAUSES = (0.5, 1.0, 2.0, 5.0)
NO_TEST = "no test is registered: @….undo(test=…)"


class Client(Protocol):
    """What is needed of an AsyncSignoff."""

    @property
    def _link(self) -> Link: ...
    async def report(
        self, request_id: str | None = None, *, key: str | None = None, succeeded: bool, note: str = ""
    ) -> None: ...


@dataclass(frozen=True)
class Undo:
    """A function that undoes by `action`, and what tries that out; None: nothing does."""

    action: str
    function: Callable[..., Any]
    arguments: Arguments
    test: Callable[[], Any] | None = None


REGISTERED: list[Undo] = []
"""All of this process, in order: tests play them."""


def registered(
    action: str | None,
    function: Callable[..., Any],
    test: Callable[[], Any] | None = None,
    encode: Mapping[str, Encode] | None = None,
) -> Undo:
    """What undoes by `action`, which is the function's name where it is None.

    Raises TypeError for a parameter that cannot travel, one that no payload can bring (`self`, a framework's
    context), a generator, or a test that needs arguments.
    """
    name = str(action or getattr(function, "__name__", ""))
    try:
        mistakes.check_action(name)
    except Invalid as error:
        raise TypeError(f"undo(): {error.detail}") from None
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"undo(): {name} is a generator: it would run nothing.")
    arguments = Arguments.of(function, encode)
    first = next(iter(inspect.signature(function).parameters), "")
    if found := arguments.aside | ({first} & {"self", "cls"}):
        aside = ", ".join(sorted(found))
        raise TypeError(f"undo(): {aside} of {name} stands in no payload: an undo is called with that alone.")
    if test is not None:
        try:
            inspect.signature(test).bind()
        except TypeError:
            raise TypeError("undo(): its test is called without arguments.") from None
    REGISTERED.append(Undo(name, function, arguments, test))
    return REGISTERED[-1]


def given(action: Any) -> tuple[Any, str | None]:
    """What stands in `undo(…)`: the function, where it is used bare, or the action; raises TypeError."""
    if action is None or isinstance(action, str):
        return None, action
    if callable(action):
        return action, None
    raise TypeError(f"undo(): an action is a text, as refund.cancel, not {type(action).__name__}.")


def attach(
    client: Any,
    function: Any = None,
    /,
    *,
    action: str | None = None,
    test: Callable[[], Any] | None = None,
    encode: Mapping[str, Encode] | None = None,
) -> Any:
    """Decorator, as `undo` of a gated function: this function undoes what that one did.

    `action` is the one by which the policy undoes it; the function's name, if not said.
    """
    decorate = client.undo(action, test=test, encode=encode)
    return decorate if function is None else decorate(function)


async def serve(client: Client, undo: Undo) -> None:
    """Take the undos of one action, for ever. Redis may be away; raises ConfigError."""
    beat = asyncio.ensure_future(_beat(client, undo))
    failures = 0
    try:
        while True:
            try:
                await _read(client, undo)
            except ConfigError:
                raise
            except SignoffError as error:
                log.warning("undo by %s paused: %s", undo.action, type(error).__name__)
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1
    finally:
        beat.cancel()
        await asyncio.wait({beat})


async def _beat(client: Client, undo: Undo) -> None:
    body = CanUndo(actions=(undo.action,)).model_dump_json(exclude_none=True)
    while True:
        try:
            await client._link.exchange().send("undo", str(new_id()), body)
        except ConfigError:
            return
        except SignoffError as error:
            log.info("not registered to undo by %s: %s", undo.action, type(error).__name__)
        await asyncio.sleep(BEAT_SECONDS)


async def _read(client: Client, undo: Undo) -> None:
    inbox = client._link.exchange().inbox(GROUP + undo.action, TAKE_OVER_MS)
    ids, arrivals = inbox.ids(), Arrivals(client, undo.action)
    try:
        async for entry, request_id in ids:
            try:
                if request_id.startswith(TEST):
                    wanted = await arrivals.test(request_id)
                    await inbox.ack(entry)
                    if wanted:
                        await _try(client, undo, request_id)
                    continue
                receipt = await arrivals.undo(request_id)
            except Left:
                inbox.leave()
                continue
            if receipt is None:
                await inbox.ack(entry)
                continue
            with exit.process.held() as free:
                if not free:
                    return  # another process has it, or this one when it runs again
                await exit.to_its_end(_take(client, undo, receipt, partial(inbox.ack, entry)))
    finally:
        await ids.aclose()
        await inbox.close()


async def _take(
    client: Client, undo: Undo, receipt: ApprovedReceipt, ack: Callable[[], Awaitable[None]]
) -> None:
    """Spend it, and where it is this process's: run it, and report."""
    # Where the loop ends, whoever listens for the answer has ended, too: a new connection has its own.
    mine = await exit.insisted(partial(_spent, client, receipt, process_name()), client._link.close)
    try:
        await exit.insisted(ack)
    except Unreachable:  # it comes again, and is spent by then
        log.info("an undo is not acknowledged yet: id=%s", receipt.id)
    crash.here("client.undoes")
    if mine:
        note = await fault(undo, receipt)
        crash.here("client.undone")
        await exit.insisted(partial(_report, client, receipt, note))
    task = asyncio.current_task()
    if task and task.cancelling():
        await client._link.close()


async def _spent(client: Client, receipt: ApprovedReceipt, by: str) -> bool:
    """Whether this process is the one that runs it; asked by one name until a server has said so.

    What was asked may have arrived though Redis went away: by another name it would be somebody else's.
    """
    link, pauses = client._link, itertools.chain(PAUSES, itertools.repeat(PAUSES[-1]))
    keys, issuer = link.keys()
    for pause in pauses:
        try:
            await spend(link.exchange(), keys, issuer, receipt, None, by)
            return True
        except AlreadySpent:
            return False
        except (NotVerified, Invalid, Stopped) as error:
            log.warning("an undo is not run: id=%s %s", receipt.id, error.detail)
            return False
        except Unreachable as error:
            log.warning("an undo waits for Redis: id=%s %s", receipt.id, type(error).__name__)
        await asyncio.sleep(pause)
    return False


async def fault(undo: Undo, receipt: ApprovedReceipt) -> str:
    """Run it; the kind of what it raised, empty where it did not. All of that is for the program's log."""
    try:
        args, kwargs = undo.arguments.rebuild(receipt.payload, Bound({}, {}))
    except Invalid as error:
        log.error(
            "undo by %s failed: id=%s the policy's payload does not fit %s(): %s",
            undo.action, receipt.id, getattr(undo.function, "__qualname__", undo.action), error.detail,
        )  # fmt: skip
        return type(error).__name__
    try:
        await _called(undo.function, *args, **kwargs)
    except (Exception, asyncio.CancelledError) as error:
        log.error("undo by %s failed: id=%s", undo.action, receipt.id, exc_info=error)
        return type(error).__name__
    return ""


async def _report(client: Client, receipt: ApprovedReceipt, note: str) -> None:
    while True:
        try:
            await client.report(receipt.id, succeeded=not note, note=note)
            return
        except Unreachable:
            await asyncio.sleep(PAUSES[-1])


async def _try(client: Client, undo: Undo, test_id: str) -> None:
    """Run its own test, and say what that came to."""
    fault = NO_TEST
    if undo.test is not None:
        try:
            fault = "it gave False" if await _called(undo.test) is False else ""
        except Exception as error:
            log.warning("the test of undo by %s failed", undo.action, exc_info=error)
            fault = type(error).__name__
    tested = UndoTest(id=test_id, action=undo.action, passed=not fault, fault=fault)
    body = CanUndo(actions=(undo.action,), tested=tested).model_dump_json(exclude_none=True)
    await client._link.exchange().send("undo", str(new_id()), body)


async def _called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(*args, **kwargs)
    call = partial(contextvars.copy_context().run, function, *args, **kwargs)
    try:
        running = asyncio.get_running_loop().run_in_executor(None, call)
    except RuntimeError:  # the interpreter ends, and starts no thread: what is spent runs all the same
        return call()
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:  # nothing stops a thread: what it comes to is what became of it
        await asyncio.wait({running})
        return running.result()


def start(make: Callable[[], AbstractAsyncContextManager[Client]], undo: Undo) -> threading.Thread:
    """Serve an undo in a thread of its own, with an event loop of its own, while the process runs."""

    async def run() -> None:
        async with make() as client:
            try:
                await serve(client, undo)
            except ConfigError as error:
                log.warning("nothing is undone by %s here: %s", undo.action, error)

    name = f"signoff-undo-{undo.action}"
    thread = threading.Thread(target=lambda: asyncio.run(run()), name=name, daemon=True)
    thread.start()
    return thread
