"""`signoff question`: an agent's script asks a person something. It needs only a plain install."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from signoff.cli.agent import client_of, sent, until_answered
from signoff.cli.output import Shown, as_json, say
from signoff.cli.parsers import Commands, command, duration, json_value, names
from signoff.cli.request_options import JSON_HELP, add_json, add_timeout
from signoff.errors import ConfigError, Invalid

if TYPE_CHECKING:
    from signoff import Signoff

WHYS = ("ambiguous", "conflict", "failed", "scope", "preference", "other")
HELP = f"""\
examples:
  signoff question 'Which Smith do you mean?' --wait --why ambiguous \\
      --option a='Ann Smith, Berlin' --option b='Al Smith, Bonn' --text
  signoff question 'Ship it on Friday?' --option Yes --option No --json \\
      --wait --timeout 10m | jq -r '.answer.choice[0]'

Without --option and --date, people answer with a text. What they answer
lets nothing run, and nobody's silence is an answer: a question that ends
unanswered gives no default.

Without --wait it prints the question's id and exits 6: `signoff wait ID`
and `signoff status ID` tell the answer, and exit 11 then: only what is
approved is 0 there.

{JSON_HELP}
exit: 0 answered   2 invalid   4 expired   5 cancelled   6 still pending
      7 Redis unreachable   8 does not verify
      9 blocked, limited or duplicate
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser = command(commands, "question", _question, "ask a person something", common=common, epilog=HELP)
    parser.add_argument("question", metavar="QUESTION", help="what you want to know; 1,000 characters")
    parser.add_argument(
        "--option",
        action="append",
        metavar="[ID=]TEXT",
        help="an answer to choose from, and by which name you are told; at most 10",
    )
    parser.add_argument("--about", action="append", metavar="ID=TEXT", help="more about an option")
    parser.add_argument("--several", action="store_true", help="more than one may be chosen")
    parser.add_argument("--text", action="store_true", help="a text may be given, beside the options")
    parser.add_argument("--date", action="store_true", help="a date may be given")
    parser.add_argument(
        "--default", metavar="ID|TEXT", help="what you take where somebody leaves it to you; never else"
    )
    parser.add_argument("--why", choices=WHYS, metavar="WHY", help=f"one of {', '.join(WHYS)}")
    parser.add_argument(
        "--source", action="append", metavar="NAME=TEXT", help="one of those that contradict each other"
    )
    parser.add_argument(
        "--try", dest="tried", action="append", metavar="WHAT=ERROR", help="what you have tried"
    )
    parser.add_argument("--context", metavar="JSON|@FILE", help="more facts, a JSON object")
    parser.add_argument("--key", metavar="KEY", help="asking again with the same key attaches to the first")
    parser.add_argument("--requested-by", metavar="NAME", help="for whom it is asked")
    parser.add_argument("--tags", type=names, metavar="A,B", help="own words, for the policy")
    parser.add_argument(
        "--expires-in", type=duration, metavar="TIME", help="it ends then, unanswered (default: 1d)"
    )
    parser.add_argument(
        "--conversation",
        metavar="CHANNEL[:TS]",
        help="the channel, or the thread in it, that you would like; the policy decides",
    )
    parser.add_argument("--run-name", metavar="NAME", help="the piece of work it belongs to")
    parser.add_argument("--wait", action="store_true", help="wait for the answer")
    add_timeout(parser)
    add_json(parser)


def _question(arguments: argparse.Namespace) -> int:
    said = _said(arguments)
    with client_of() as client:
        try:
            ticket = client.request_question(arguments.question, **said)
        except Invalid as error:
            if arguments.json:
                print(as_json(Shown(None, "invalid", "question", _name(client), reason=error.detail)))
            raise
        if not arguments.wait:
            return sent(client, ticket.id, "question", arguments.json)
        say(f"asked, and waiting: {ticket.id}")
        return until_answered(client, ticket, arguments)


def _name(client: Signoff) -> str | None:
    try:
        return client.agent
    except ConfigError:
        return None


def _said(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of the command line, as `request_question` takes them."""
    values = vars(arguments) | {"run": arguments.run_name}
    names_ = ("default", "why", "key", "run", "tags", "expires_in", "conversation", "requested_by")
    said: dict[str, Any] = {name: values[name] for name in names_ if values[name] is not None}
    said |= {name: True for name in ("several", "date") if values[name]}
    if arguments.text:
        said["free_text"] = True
    if arguments.option:
        said["options"] = _options(arguments.option, arguments.about or ())
    for name, given in (("sources", arguments.source), ("tries", arguments.tried)):
        if given:
            said[name] = [_pair(f"--{'source' if name == 'sources' else 'try'}", one) for one in given]
    if arguments.context is not None:
        said["context"] = json_value("--context", arguments.context)
    return said


def _options(given: list[str], about: Any) -> Any:
    """By their ids, where each has one; else a list."""
    more = dict(_pair("--about", one) for one in about)
    named = ["=" in one for one in given]
    if any(named) and not all(named):
        raise Invalid("--option: give each option an id, a='Ann Smith', or none of them.")
    if not all(named):
        return given
    pairs = [_pair("--option", one) for one in given]
    if len(dict(pairs)) < len(pairs):
        raise Invalid("--option: two options have the same id.")
    if unknown := more.keys() - dict(pairs).keys():
        raise Invalid(f"--about: there is no option {min(unknown)[:40]!r}.")
    return {name: (text, more.get(name, "")) for name, text in pairs}


def _pair(option: str, given: str) -> tuple[str, str]:
    name, found, text = given.partition("=")
    if not found:
        raise Invalid(f"{option} {given[:60]!r}: write NAME=TEXT.")
    return name.strip(), text
