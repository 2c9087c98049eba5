"""What an agent calls: request, wait, status, cancel, report. They need only a plain install."""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from signoff.cli import execution
from signoff.cli.output import EXIT, Shown, as_json, by_policy, clock, say, tell
from signoff.cli.parsers import Commands, command, json_value
from signoff.cli.request_options import EXIT_HELP, JSON_HELP, add_json, add_request, add_timeout
from signoff.errors import ConfigError, Invalid, NotApproved, WaitTimeout

if TYPE_CHECKING:
    from signoff import ApprovedReceipt, QuestionTicket, Signoff, Ticket
    from signoff.guard import Guard

RECEIVED_SECONDS = 10.0
"""How long `request` without --wait looks for a server."""
INTERRUPTED = execution.INTERRUPTED
AS_GIVEN = (
    "reason", "reversible", "risk", "impact", "undo", "alternatives", "tags", "cost", "confidence",
    "attempts", "key", "run", "title", "conversation", "expires_in", "requested_by",
    "interpretation",
)  # fmt: skip
"""Options that are passed on as they are."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    add_request(commands, common, _request)
    epilog = f"{JSON_HELP}\n{EXIT_HELP}"
    wait = command(commands, "wait", _wait, "wait for a request's decision", common=common, epilog=epilog)
    _add_name(wait)
    add_timeout(wait)
    status = command(commands, "status", _status, "tell a request's state now", common=common, epilog=epilog)
    _add_name(status)
    cancel = command(
        commands,
        "cancel",
        _cancel,
        "withdraw a request",
        common=common,
        epilog="The exit code is the request's state: 5 says that it is cancelled, another one that the\n"
        f"decision had been made before.\n\n{epilog}",
    )
    _add_name(cancel)
    cancel.add_argument("--reason", default="", help="why; people see it")
    for parser in (wait, status, cancel):
        add_json(parser)
    report = command(commands, "report", _report, "say what became of an approved action", common=common)
    _add_name(report)
    outcome = report.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--succeeded", action="store_true", help="it ran")
    outcome.add_argument("--failed", action="store_true", help="it did not, or not to its end")
    report.add_argument("--note", default="", help="more, for the card")
    report.add_argument("--result", metavar="JSON|@FILE", help="what came out, for people: at most 2 KB")


def _add_name(parser: argparse.ArgumentParser) -> None:
    """Which request: by its id, or by its key."""
    name = parser.add_mutually_exclusive_group(required=True)
    name.add_argument("id", metavar="ID", nargs="?", help="as `signoff request` printed it")
    name.add_argument("--key", help="instead of the id: the key that it was asked with")


def _request(arguments: argparse.Namespace) -> int:
    execution.check(arguments)
    payload, ask = json_value("--payload", arguments.payload), _ask(arguments)
    if "reversible" not in ask:
        say("nobody said whether it can be undone, so it counts as irreversible: "
            "add --reversible, --costly or --irreversible.")  # fmt: skip
        warnings.simplefilter("ignore")  # the client would say the same, for Python
    with client_of() as client:
        guard = execution.guard_of(arguments.once, client.agent) if arguments.once else None
        try:
            ticket = client.request(arguments.action, payload, **ask)
        except Invalid as error:
            if arguments.json:
                refused = Shown(None, "invalid", arguments.action, _name(client), reason=error.detail)
                print(as_json(refused))
            raise
        if not arguments.wait:
            return sent(client, ticket.id, arguments.action, arguments.json)
        asked = f"asked, and waiting: {ticket.id}"
        return _until_decided(client, ticket, arguments, arguments.action, asked, guard)


def _name(client: Signoff) -> str | None:
    """This agent's name, where it has one."""
    try:
        return client.agent
    except ConfigError:
        return None


def _ask(arguments: argparse.Namespace) -> dict[str, Any]:
    values = vars(arguments) | {"run": arguments.run_name}
    ask = {name: values[name] for name in AS_GIVEN if values[name] is not None}
    for name in ("schema", "context"):
        if values[name] is not None:
            ask[name] = json_value(f"--{name}", values[name])
    if arguments.no_edit:
        ask["editable"] = False
    elif arguments.editable is not None:
        ask["editable"] = arguments.editable
    return ask


def sent(client: Signoff, request_id: str, action: str, json_wanted: bool) -> int:
    """Print the id, once a server has the request or 10 s are over."""
    from signoff.models.receipt import Receipt

    if not json_wanted:
        print(request_id, flush=True)
    with _quiet():
        state = client.get(request_id) if client.received(request_id, RECEIVED_SECONDS) else None
    if isinstance(state, Receipt):  # nobody had to be asked, or it was refused
        if json_wanted:
            return tell(state, json_wanted=True, action=action)
        said = by_policy(state) or f"it is {state.status} already"
        say(f"{said[0].lower()}{said[1:]}. `signoff status {request_id}` tells more.")
        return EXIT[state.status]
    if json_wanted:
        print(as_json(Shown(request_id, "pending", action, client.agent)))
    if state is None:
        say(f"nobody has picked it up within {RECEIVED_SECONDS:.0f} s: is `signoff serve` running? It stays "
            "in Redis, and is read as soon as a server is there.")  # fmt: skip
    return EXIT["pending"]


def _wait(arguments: argparse.Namespace) -> int:
    with client_of() as client:
        ticket = client.resume(arguments.id, key=arguments.key)
        known = ticket.get()
        unknown = "" if known else "no server knows this request yet; waiting for one."
        return _until_decided(client, ticket, arguments, known.action if known else None, unknown)


def _until_decided(
    client: Signoff,
    ticket: Ticket,
    arguments: argparse.Namespace,
    action: str | None,
    first: str,
    guard: Guard | None = None,
) -> int:
    """Says `first`, if anything, and waits: from that line on Ctrl-C tells how to go on.

    What is approved is carried out where the command line says how.
    """
    from signoff.models.receipt import Receipt

    receipt: Receipt
    approved: ApprovedReceipt | None = None
    words, began = getattr(arguments, "program", None), time.monotonic()
    later = f"`signoff wait {ticket.id}` waits again, `signoff cancel {ticket.id}` withdraws it."
    try:
        if first:
            say(first)
        receipt = approved = ticket.wait(arguments.timeout)
    except NotApproved as error:
        if not isinstance(error.receipt, Receipt):
            raise
        receipt = error.receipt  # a question's answer, too: it approves nothing, and is told for all that
    except WaitTimeout:
        return _undecided(client, ticket.id, arguments, action, "decided", later)
    except KeyboardInterrupt:
        say(f"stopped waiting: the request stays pending. {later}")
        return INTERRUPTED
    if words and action and approved is not None:
        left = None if arguments.timeout is None else arguments.timeout - (time.monotonic() - began)
        return execution.carry_out(client, approved, words, action=action, guard=guard, left=left)
    return tell(receipt, json_wanted=arguments.json, action=action)


def until_answered(client: Signoff, ticket: QuestionTicket, arguments: argparse.Namespace) -> int:
    """Wait for a question's answer, and print it: 0 where somebody has answered."""
    from signoff.models.receipt import Receipt

    later = f"`signoff wait {ticket.id}` waits again, `signoff cancel {ticket.id}` withdraws it."
    try:
        receipt = ticket.wait(arguments.timeout).receipt
    except NotApproved as error:
        if not isinstance(error.receipt, Receipt):
            raise
        return tell(error.receipt, json_wanted=arguments.json, action="question")
    except WaitTimeout:
        return _undecided(client, ticket.id, arguments, "question", "answered", later)
    except KeyboardInterrupt:
        say(f"stopped waiting: the question stays pending. {later}")
        return INTERRUPTED
    tell(receipt, json_wanted=arguments.json)
    return 0


def _undecided(
    client: Signoff, request_id: str, arguments: argparse.Namespace, action: str | None, did: str, later: str
) -> int:
    if arguments.json:
        print(as_json(Shown(request_id, "pending", action, client.agent)))
    say(f"nobody has {did} within {arguments.timeout} s: the request stays pending. {later}")
    return EXIT["pending"]


def _status(arguments: argparse.Namespace) -> int:
    from signoff.models.receipt import Receipt

    with client_of() as client:
        found = client.get(arguments.id, key=arguments.key)
        if found is None:
            which = arguments.id or f"with the key {arguments.key!r}"
            raise Invalid(
                f"No request {which} of agent {client.agent} is known: no server has received it, "
                "or the time of its answer is over."
            )
        if isinstance(found, Receipt):
            if found.approved:  # once it is spent or reported, it is a duplicate, which says so
                say("nobody was told yet that they may run it, and nobody has reported.")
            return tell(found, json_wanted=arguments.json)
        until = f", until {clock(found.expires_at)}" if found.expires_at else ""
        shown = Shown(found.id, "pending", found.action or None, client.agent)
        print(as_json(shown) if arguments.json else f"Pending: {found.action}{until}")
        return EXIT["pending"]


def _cancel(arguments: argparse.Namespace) -> int:
    with client_of() as client:
        try:
            receipt = client.cancel(arguments.id, arguments.reason, key=arguments.key)
        except WaitTimeout:
            say("no server has answered: the request may still be decided. Is `signoff serve` running?")
            return EXIT["pending"]
        if receipt.status != "cancelled":
            say(f"too late: it is {receipt.status} already.")
        return tell(receipt, json_wanted=arguments.json)


def _report(arguments: argparse.Namespace) -> int:
    with client_of() as client:
        result = None if arguments.result is None else json_value("--result", arguments.result)
        said = {"succeeded": arguments.succeeded, "note": arguments.note, "result": result}
        client.report(arguments.id, key=arguments.key, **said)
    return 0


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the client's own words on a request that nobody takes: it would send it again, we do not."""
    log = logging.getLogger("signoff")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def client_of() -> Signoff:
    """The client of this command."""
    from signoff import Signoff

    return Signoff()
