"""What `signoff request` and its sisters may be told on the command line, and what their help says."""

from __future__ import annotations

import argparse

from signoff.cli.parsers import Commands, Run, command, duration, names, number

RISKS = ("low", "medium", "high", "critical")
JSON_HELP = """\
--json prints one line, always with these keys, null where unknown:
  id, status, action, agent, payload (what may run: only once approved),
  edited (by a person), reason, decided_by (a Slack user id),
  decided_at (ISO 8601, UTC), receipt (the token for `signoff verify`),
  permalink (the card), rule and why (what of the policy decided whether
  anybody is asked), answer (to a question: choice, text, date, default,
  none; as far as it has them), kind (approval, question or feedback),
  batch (what it was asked with), notes (what people noted for the agent, as
  data), talks (of `signoff show` alone). Everything else goes to stderr.
"""
EXIT_HELP = """\
exit: 0 approved, and only then   2 invalid   3 rejected   4 expired
      5 cancelled   6 still pending   7 Redis unreachable   8 does not verify
      9 blocked, limited or duplicate   10 --run: it ran, and failed
      11 answered: it was a question
"""
REQUEST_HELP = f"""\
examples:
  signoff request refund.create --irreversible --wait --timeout 10m \\
      --payload '{{"customer": "cus_42", "amount": 120}}' --reason 'Ticket 991'
  signoff request deploy --payload @deploy.json --reversible --wait --json \\
      | jq .payload

  signoff request db.migrate --irreversible --wait --payload @plan.json \\
      --once sqlite:////var/lib/shop/spent.db --run ./migrate --verbose

--run runs a program once it is approved, and reports what became of it. All
that follows is the program's, as written, and no shell reads it. The payload
that was approved, which a person may have edited, is its standard input: one
JSON object. It gets SIGNOFF_REQUEST_ID and SIGNOFF_ACTION, and none of
Signoff's own settings. Its exit code 0 is a success; any other, or a signal,
is reported as failed, with the last line of its stderr, and the exit code is
10 then. Ctrl-C reaches it, and is reported; the exit code is 130.

Without --wait it prints the request's id and exits 6: it is not approved yet.

{JSON_HELP}
{EXIT_HELP}"""


def add_request(commands: Commands, common: argparse.ArgumentParser, run: Run) -> None:
    """Describe `signoff request`, which `run` carries out."""
    parser = command(commands, "request", run, "ask for approval", common=common, epilog=REQUEST_HELP)
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
    parser.add_argument("--interpretation", metavar="TEXT", help="how you read the task, of several ways")
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
    parser.add_argument("--run-name", metavar="NAME", help="the piece of work it belongs to")
    parser.add_argument("--wait", action="store_true", help="wait for the decision")
    add_timeout(parser)
    add_json(parser)
    parser.add_argument(
        "--once",
        metavar="STORE",
        help="with --run: spend it in a guard's store, too (redis://…, sqlite:///…), before it runs",
    )
    parser.add_argument(
        "--run",
        dest="program",
        nargs=argparse.REMAINDER,  # main has taken them away before this is parsed
        metavar="PROGRAM",
        help="with --wait, and last: once approved, run PROGRAM with all arguments that follow, and report",
    )


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """--timeout."""
    parser.add_argument(
        "--timeout",
        type=duration,
        metavar="TIME",
        help="stop waiting after this long: 90, 90s, 10m, 2h, 1d (default: until the request ends)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of text")
