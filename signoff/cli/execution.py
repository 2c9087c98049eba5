"""`signoff request --wait --run`: what was approved is spent, run, and reported; nothing else ever runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from signoff.cli import program
from signoff.cli.output import by_policy, clock, printable, say
from signoff.cli.program import Ended
from signoff.errors import ConfigError, SignoffError
from signoff.payload.canonical import canonical

if TYPE_CHECKING:
    from signoff import Signoff
    from signoff.guard import Guard
    from signoff.models.receipt import ApprovedReceipt

RUN_FAILED = 10
"""The exit code where it was approved, and the program did not succeed: no state of a request has it."""
INTERRUPTED = 130
SPEND_SECONDS = 10.0
"""How long at least a server is given to say that this process may run it, whatever is left of --timeout."""
RUN = "--run"


def parted(words: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """A command line → what is ours, and the program of `request … --run PROGRAM …` with all that follows.

    The parser never sees the program's words: some of them would mean something to it.
    """
    if "request" not in words[:1] or RUN not in words:
        return [*words], None
    at = words.index(RUN)
    return [*words[: at + 1]], [*words[at + 1 :]]


def check(arguments: argparse.Namespace) -> None:
    """Raise ConfigError for what could not be run, before anybody is asked."""
    if arguments.program is None:
        if arguments.once is not None:
            raise ConfigError("--once goes with --run: it is spent where something runs.")
        return
    program.check(arguments.program)
    if not arguments.wait:
        raise ConfigError("--run goes with --wait: a program runs once it is approved.")
    if arguments.json:
        raise ConfigError("--json does not go with --run: what stands on stdout is the program's.")


def guard_of(store: str | None, agent: str) -> Guard | None:
    """The guard of `--once STORE`; raises ConfigError for a store that cannot be used."""
    if store is None:
        return None
    from signoff.cli.verify import keys_and_deployment
    from signoff.guard import Guard

    keys, deployment = keys_and_deployment()
    return Guard(store, keys, agents=[agent], deployment=deployment)


def carry_out(
    client: Signoff,
    receipt: ApprovedReceipt,
    words: Sequence[str],
    *,
    action: str,
    guard: Guard | None,
    left: float | None,
) -> int:
    """Run `words` once with the approved payload, and report; the exit code. `left` is the timeout's rest.

    Raises what `spend` does, AlreadySpent for one: then nothing was run, and nothing is reported.
    """
    from signoff import receipts

    run = receipts.bind(receipt, action=action, payload=receipt.payload)
    say(_approved(receipt))
    if guard is not None:
        guard.spend(receipt, run, action=action)
    client.spend(receipt, None if left is None else max(SPEND_SECONDS, left))
    about = {"SIGNOFF_REQUEST_ID": receipt.id, "SIGNOFF_ACTION": receipt.action}
    try:
        ended = program.run(words, canonical(run), program.environment(os.environ, about))
    except KeyboardInterrupt:
        ended = Ended(False, program.STOPPED, interrupted=True)
    _report(client, receipt.id, ended)
    if ended.succeeded:
        return 0
    say(f"it was approved, and did not succeed: {ended.note}")
    return INTERRUPTED if ended.interrupted else RUN_FAILED


def _approved(receipt: ApprovedReceipt) -> str:
    by = receipt.decided_by
    who = f"approved by {printable(by.name)} ({printable(by.id)}) at {clock(by.at)}" if by else ""
    said = who or by_policy(receipt) or "approved"
    return f"{said}{', edited' if receipt.edited else ''}: {receipt.id}"


def _report(client: Signoff, request_id: str, ended: Ended) -> None:
    """Say what became of it; where that cannot be said now, say how to."""
    try:
        client.report(request_id, succeeded=ended.succeeded, note=ended.note)
    except SignoffError as error:
        outcome = "--succeeded" if ended.succeeded else "--failed"
        say(
            f"it ran, and that could not be reported ({error}): `signoff report {request_id} {outcome}` does."
        )
