"""What an agent calls: request, wait, status, cancel, report. They need only a plain install."""

from __future__ import annotations

import argparse
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from signoff.cli.output import EXIT, Shown, as_json, by_policy, clock, say, tell
from signoff.cli.parsers import Commands, command, duration, json_value, names, number
from signoff.errors import Invalid, NotApproved, WaitTimeout

if TYPE_CHECKING:
    from signoff import Signoff, Ticket

RISKS = ("low", "medium", "high", "critical")
RECEIVED_SECONDS = 10.0
"""How long `request` without --wait looks for a server."""
INTERRUPTED = 130
AS_GIVEN = (
    "reason", "reversible", "risk", "impact", "undo", "alternatives", "tags", "cost", "confidence",
    "attempts", "key", "run", "title", "conversation", "expires_in", "requested_by",
)  # fmt: skip
"""Options that are passed on as they are."""

JSON_HELP = """\
--json prints one line, always with these keys, null where unknown:
  id, status, action, agent, payload (what may run: only once approved),
  edited (by a person), reason, decided_by (a Slack user id),
  decided_at (ISO 8601, UTC), receipt (the token for `signoff verify`),
  permalink (the card), rule and why (what of the policy decided whether
  anybody is asked). Everything else goes to stderr.
"""
EXIT_HELP = """\
exit: 0 approved, and only then   2 invalid   3 rejected   4 expired
      5 cancelled   6 still pending   7 Redis unreachable   8 does not verify
      9 blocked, limited or duplicate
"""
REQUEST_HELP = f"""\
examples:
  signoff request refund.create --irreversible --wait --timeout 10m \\
      --payload '{{"customer": "cus_42", "amount": 120}}' --reason 'Ticket 991'
  signoff request deploy --payload @deploy.json --reversible --wait --json \\
      | jq .payload

Without --wait it prints the request's id and exits 6: it is not approved yet.

{JSON_HELP}
{EXIT_HELP}"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    _add_request(commands, common)
    epilog = f"{JSON_HELP}\n{EXIT_HELP}"
    wait = command(commands, "wait", _wait, "wait for a request's decision", common=common, epilog=epilog)
    wait.add_argument("id", metavar="ID")
    _add_timeout(wait)
    status = command(commands, "status", _status, "tell a request's state now", common=common, epilog=epilog)
    status.add_argument("id", metavar="ID")
    cancel = command(
        commands,
        "cancel",
        _cancel,
        "withdraw a request",
        common=common,
        epilog="The exit code is the request's state: 5 says that it is cancelled, another one that the\n"
        f"decision had been made before.\n\n{epilog}",
    )
    cancel.add_argument("id", metavar="ID")
    cancel.add_argument("--reason", default="", help="why; people see it")
    for parser in (wait, status, cancel):
        _add_json(parser)
    report = command(commands, "report", _report, "say what became of an approved action", common=common)
    report.add_argument("id", metavar="ID")
    outcome = report.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--succeeded", action="store_true", help="it ran")
    outcome.add_argument("--failed", action="store_true", help="it did not, or not to its end")
    report.add_argument("--note", default="", help="more, for the card")


def _add_request(commands: Commands, common: argparse.ArgumentParser) -> None:
    parser = command(commands, "request", _request, "ask for approval", common=common, epilog=REQUEST_HELP)
    parser.add_argument("action", metavar="ACTION", help="what is to run, such as refund.create")
    parser.add_argument(
        "--payload", required=True, metavar="JSON|@FILE|-", help="its arguments, a JSON object; - is stdin"
    )
    parser.add_argument("--reason", metavar="TEXT", help="why, in a sentence or two")
    undo = parser.add_mutually_exclusive_group()
    for name, text in (
        ("reversible", "it can be undone"),
        ("costly", "it can be undone, with effort"),
        ("irreversible", "it cannot be undone (the default)"),
    ):
        undo.add_argument(f"--{name}", dest="reversible", action="store_const", const=name, help=text)
    parser.add_argument("--key", metavar="KEY", help="asking again with the same key attaches to the first")
    parser.add_argument("--schema", metavar="JSON|@FILE", help="JSON Schema of the payload")
    parser.add_argument("--title", metavar="TEXT", help="a short title")
    parser.add_argument("--impact", metavar="TEXT", help="what it touches")
    parser.add_argument("--undo", metavar="TEXT", help="how it would be undone")
    parser.add_argument("--risk", choices=RISKS, metavar="RISK", help="low, medium, high or critical")
    parser.add_argument(
        "--alternatives", action="append", metavar="TEXT", help="what could be done instead; may be repeated"
    )
    parser.add_argument("--context", metavar="JSON|@FILE", help="more facts, a JSON object")
    parser.add_argument("--requested-by", metavar="NAME", help="for whom it is asked")
    parser.add_argument("--tags", type=names, metavar="A,B", help="money, external, production, or own ones")
    parser.add_argument(
        "--cost",
        type=number,
        metavar="NUMBER",
        help="what it costs, in the currency that the policy counts in",
    )
    parser.add_argument("--confidence", type=number, metavar="0..1", help="how sure you are, from 0 to 1")
    parser.add_argument("--attempts", type=number, metavar="N", help="how often it has failed before")
    edit = parser.add_mutually_exclusive_group()
    edit.add_argument(
        "--editable", type=names, metavar="A,B", help="the fields that a person may change (default: all)"
    )
    edit.add_argument("--no-edit", action="store_true", help="a person may change nothing")
    parser.add_argument(
        "--expires-in",
        type=duration,
        metavar="TIME",
        help="it ends then, unanswered (default: 1d, at most 30d)",
    )
    parser.add_argument(
        "--conversation",
        metavar="CHANNEL[:TS]",
        help="the channel, or the thread in it, that you would like; the policy decides",
    )
    parser.add_argument("--run", dest="run_name", metavar="NAME", help="the piece of work it belongs to")
    parser.add_argument("--wait", action="store_true", help="wait for the decision")
    _add_timeout(parser)
    _add_json(parser)


def _add_timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=duration,
        metavar="TIME",
        help="stop waiting after this long: 90, 90s, 10m, 2h, 1d (default: until the request ends)",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")


def _request(arguments: argparse.Namespace) -> int:
    payload, ask = json_value("--payload", arguments.payload), _ask(arguments)
    if "reversible" not in ask:
        say("nobody said whether it can be undone, so it counts as irreversible: "
            "add --reversible, --costly or --irreversible.")  # fmt: skip
        warnings.simplefilter("ignore")  # the client would say the same, for Python
    with _client() as client:
        try:
            ticket = client.request(arguments.action, payload, **ask)
        except Invalid as error:
            if arguments.json:
                refused = Shown(None, "invalid", arguments.action, client.agent, reason=error.detail)
                print(as_json(refused))
            raise
        if not arguments.wait:
            return _sent(client, ticket, arguments)
        asked = f"asked, and waiting: {ticket.id}"
        return _until_decided(client, ticket, arguments, arguments.action, asked)


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


def _sent(client: Signoff, ticket: Ticket, arguments: argparse.Namespace) -> int:
    """The id, once a server has the request or 10 s are over."""
    from signoff.models.receipt import Receipt

    if not arguments.json:
        print(ticket.id, flush=True)
    with _quiet():
        state = client.get(ticket.id) if client.received(ticket.id, RECEIVED_SECONDS) else None
    if isinstance(state, Receipt):  # nobody had to be asked, or it was refused
        if arguments.json:
            return tell(state, json_wanted=True, action=arguments.action)
        said = by_policy(state) or f"it is {state.status} already"
        say(f"{said[0].lower()}{said[1:]}. `signoff status {ticket.id}` tells more.")
        return EXIT[state.status]
    if arguments.json:
        print(as_json(Shown(ticket.id, "pending", arguments.action, client.agent)))
    if state is None:
        say(f"nobody has picked it up within {RECEIVED_SECONDS:.0f} s: is `signoff serve` running? It stays "
            "in Redis, and is read as soon as a server is there.")  # fmt: skip
    return EXIT["pending"]


def _wait(arguments: argparse.Namespace) -> int:
    with _client() as client:
        ticket = client.resume(arguments.id)
        known = ticket.get()
        unknown = "" if known else "no server knows this request yet; waiting for one."
        return _until_decided(client, ticket, arguments, known.action if known else None, unknown)


def _until_decided(
    client: Signoff, ticket: Ticket, arguments: argparse.Namespace, action: str | None, first: str
) -> int:
    """Says `first`, if anything, and waits: from that line on Ctrl-C tells how to go on."""
    from signoff.models.receipt import Receipt

    receipt: Receipt
    later = f"`signoff wait {ticket.id}` waits again, `signoff cancel {ticket.id}` withdraws it."
    try:
        if first:
            say(first)
        receipt = ticket.wait(arguments.timeout)
    except NotApproved as error:
        if not isinstance(error.receipt, Receipt):
            raise
        receipt = error.receipt
    except WaitTimeout:
        if arguments.json:
            print(as_json(Shown(ticket.id, "pending", action, client.agent)))
        say(f"nobody has decided within {arguments.timeout} s: the request stays pending. {later}")
        return EXIT["pending"]
    except KeyboardInterrupt:
        say(f"stopped waiting: the request stays pending. {later}")
        return INTERRUPTED
    return tell(receipt, json_wanted=arguments.json, action=action)


def _status(arguments: argparse.Namespace) -> int:
    from signoff.models.receipt import Receipt

    with _client() as client:
        found = client.get(arguments.id)
        if found is None:
            raise Invalid(
                f"No request {arguments.id} of agent {client.agent} is known: no server has received it, "
                "or the time of its answer is over."
            )
        if isinstance(found, Receipt):
            return tell(found, json_wanted=arguments.json)
        until = f", until {clock(found.expires_at)}" if found.expires_at else ""
        shown = Shown(found.id, "pending", found.action or None, client.agent)
        print(as_json(shown) if arguments.json else f"Pending: {found.action}{until}")
        return EXIT["pending"]


def _cancel(arguments: argparse.Namespace) -> int:
    with _client() as client:
        try:
            receipt = client.cancel(arguments.id, arguments.reason)
        except WaitTimeout:
            say("no server has answered: the request may still be decided. Is `signoff serve` running?")
            return EXIT["pending"]
        if receipt.status != "cancelled":
            say(f"too late: it is {receipt.status} already.")
        return tell(receipt, json_wanted=arguments.json)


def _report(arguments: argparse.Namespace) -> int:
    with _client() as client:
        client.report(arguments.id, succeeded=arguments.succeeded, note=arguments.note)
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


def _client() -> Signoff:
    from signoff import Signoff

    return Signoff()
