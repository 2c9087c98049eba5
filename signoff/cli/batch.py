"""`signoff batch`: asks many things together, a line of JSON each, and waits for all of them."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from signoff.cli.output import EXIT, Shown, as_json, of_receipt, printable, say
from signoff.cli.parsers import Commands, command
from signoff.cli.request_options import JSON_HELP, add_json, add_timeout
from signoff.errors import ConfigError, Invalid, WaitTimeout
from signoff.models.codes import code

if TYPE_CHECKING:
    from signoff import Ticket
    from signoff.models.receipt import Receipt

EPILOG = f"""\
  signoff batch cleanup.jsonl --title 'Clean up 40 branches' --timeout 1h

Each line of FILE is one request: a JSON object with action, payload, and whatever else a request may say
(reason, reversible, schema, …), as `AsyncSignoff.request` takes it. Nothing is sent before all lines were
read and hold. People see one card; what the policy does not let share it has a card of its own. Prints a
line for each as it ends: its state, its id, its action; and once the time is over, of each that is pending
still, with its code. Lines of what cannot be undone are named: it leaves the card. Nothing is spent: with
`signoff request --run` a program runs once.

{JSON_HELP}
exit: 0 all are approved   6 some are pending still
      else that of the first line that is not approved, as `signoff request` has it
"""
ALONE = (
    "cannot be undone, or does not say whether it can (reversible): {lines}. Each has a card of its own, "
    "where the policy does not say otherwise (batch: irreversible)."
)
AGAIN = "The same command waits for them again."
LATER = (
    "`signoff status ID` tells each, by its id. Asked with --key KEY, the same command would wait for them "
    "again; without, it asks anew."
)
NAMED = 10
"""Lines that are named; of more it is said how many."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser = command(commands, "batch", _batch, "ask for many things together", common=common, epilog=EPILOG)
    parser.add_argument("file", metavar="FILE", help="requests, a line of JSON each; - is stdin")
    parser.add_argument("--title", required=True, metavar="TEXT", help="what people see above all of it")
    parser.add_argument("--key", metavar="KEY", help="asking the same again with this key attaches to it")
    parser.add_argument("--run-name", metavar="NAME", help="names the piece of work that it belongs to")
    add_timeout(parser)
    add_json(parser)


def _batch(arguments: argparse.Namespace) -> int:
    from signoff import Signoff

    warnings.simplefilter("ignore")  # what the client says for Python, the card says to people
    lines = list(_lines(arguments.file))
    with Signoff() as client:
        with client.batch(arguments.title, run=arguments.run_name, key=arguments.key) as batch:
            for number, values in lines:
                try:
                    batch.request(**values)
                except Invalid as error:
                    raise Invalid(f"line {number}: {error.detail}") from None
        say(f"asked, and waiting: {len(lines)} requests.")
        if alone := [number for number, values in lines if values.get("reversible") in (None, False)]:
            say(ALONE.format(lines=_numbers(alone)))
        ended: dict[str, Receipt] = {}
        try:
            for receipt in batch.results(arguments.timeout, runs="at-least-once"):
                ended[receipt.id] = receipt
                print(_line(receipt, arguments.json), flush=True)
        except WaitTimeout as error:
            say(f"{error.detail.rstrip('.')}; they stay pending. {AGAIN if arguments.key else LATER}")
            waiting = [one for one in batch.tickets if one.id not in ended]
            print("\n".join(_pending(one, client.agent, arguments.json) for one in waiting), flush=True)
    states = [ended[one.id].status if one.id in ended else "pending" for one in batch.tickets]
    if "pending" in states:
        return EXIT["pending"]
    return next((EXIT[state] for state in states if state != "approved"), 0)


def _line(receipt: Receipt, json_wanted: bool) -> str:
    if json_wanted:
        return as_json(of_receipt(receipt))
    why = f"  {printable(receipt.reason)}" if receipt.reason else ""
    return f"{receipt.status:<9} {receipt.id}  {printable(receipt.action)}{why}"


def _pending(ticket: Ticket, agent: str, json_wanted: bool) -> str:
    """A line of what waits still."""
    if json_wanted:
        return as_json(Shown(ticket.id, "pending", ticket._action, agent))
    return f"{'pending':<9} {ticket.id}  {printable(ticket._action)}  {code(ticket.id)}"


def _numbers(lines: list[int]) -> str:
    """`line 3`, `lines 3, 5 and 2 more`."""
    named = ", ".join(map(str, lines[:NAMED]))
    more = f" and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return f"line{'s' if len(lines) > 1 else ''} {named}{more}"


def _lines(name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, request) of each line that is not empty; raises Invalid, naming it."""
    try:
        text = sys.stdin.read() if name == "-" else _read(name)
    except UnicodeDecodeError:
        raise Invalid(f"{name} is not UTF-8.") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            raise Invalid(f"line {number} is no JSON: {error}.") from None
        if not isinstance(values, dict) or not {"action", "payload"} <= values.keys():
            raise Invalid(f"line {number} has to be an object with action and payload.")
        yield number, values


def _read(name: str) -> str:
    try:
        with open(name, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{name}: {error.strerror}.") from None
