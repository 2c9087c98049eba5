"""`signoff verify`: what an executor checks before it runs anything. It needs no Redis."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from signoff.cli.output import EXIT, say, tell
from signoff.cli.parsers import Commands, command, json_value
from signoff.errors import AlreadySpent, ConfigError, Invalid, NotApproved

if TYPE_CHECKING:
    from signoff.models.receipt import Receipt

INSPECTED = 10
"""Exit code of --inspect: never 0, so that `&& run` runs nothing."""
EPILOG = """\
Checks everything that a receipt can be checked for: the signature, the key, the deployment, whom it is for,
that it is still valid, that its id is the one of what it names, and that it approves exactly this payload of
exactly this action. All three are needed: what is not compared is not approved. The keys are in
SIGNOFF_VERIFY_KEY, else those of the server that this user runs on this machine.

  signoff verify "$RECEIPT" --agent billing-bot --action refund.create \\
      --payload @payload.json && run

--once STORE has it run once, whoever asks: the receipt is spent in STORE before this command ends, and
from then on refused (9). STORE is a file named from the root, redis://…, or a database's URL.

--inspect shows what a receipt says, checks its signature, and approves nothing.

exit: 0 approved   8 does not verify   otherwise as the receipt's status says:
      2 invalid   3 rejected   4 expired   5 cancelled
      9 blocked, limited or duplicate   10 only inspected
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser = command(
        commands, "verify", _verify, "check a receipt, before running anything", common=common, epilog=EPILOG
    )
    parser.add_argument("token", metavar="TOKEN|-", nargs="?", default="-", help="the receipt; - is stdin")
    parser.add_argument("--agent", metavar="NAME", help="whose request it is")
    parser.add_argument("--action", metavar="ACTION", help="what is about to run")
    parser.add_argument("--payload", metavar="JSON|@FILE", help="with which arguments")
    parser.add_argument("--once", metavar="STORE", help="spend it there: it runs once, whoever asks")
    parser.add_argument("--inspect", action="store_true", help="show what it says, without judging; exits 10")
    parser.add_argument("--json", action="store_true", help="one line of JSON, as `signoff request` has it")


def _verify(arguments: argparse.Namespace) -> int:
    from signoff import receipts

    lacking = [n for n in ("agent", "action", "payload") if getattr(arguments, n) is None]
    if arguments.inspect:
        lacking = [name for name in lacking if name == "agent"]
    if lacking:
        needed = " and ".join(f"--{name}" for name in lacking)
        raise Invalid(f"Say with {needed} what is about to run: what is not compared is not approved.")
    keys, deployment = keys_and_deployment()
    token = sys.stdin.read() if arguments.token == "-" else arguments.token
    receipt = receipts.verify(token.strip(), receipts.verify_keys(keys), arguments.agent, issuer=deployment)
    if arguments.inspect:
        tell(receipt, json_wanted=arguments.json)
        say("only shown: nothing was compared with it, so nothing is approved.")
        return INSPECTED
    payload = json_value("--payload", arguments.payload)
    try:
        run = receipts.bind(receipt, action=arguments.action, payload=payload)
        if arguments.once is not None:
            _spend(arguments, receipt, keys, deployment, run)
    except AlreadySpent as refusal:
        say(str(refusal))
        return EXIT["duplicate"]
    except NotApproved as refusal:
        if refusal.receipt is None:
            raise
        return tell(receipt, json_wanted=arguments.json)
    return tell(receipt.model_copy(update={"payload": run}), json_wanted=arguments.json)


def _spend(
    arguments: argparse.Namespace, receipt: Receipt, keys: str, deployment: str, run: dict[str, Any]
) -> None:
    from signoff.guard import Guard

    guard = Guard(arguments.once, keys, agents=[arguments.agent], deployment=deployment)
    guard.spend(receipt, run, action=arguments.action)


def keys_and_deployment() -> tuple[str, str]:
    """Whose signatures are taken here, and in the name of which deployment; raises ConfigError."""
    from signoff.models.receipt import DEPLOYMENT
    from signoff.queue import neighbours

    keys, deployment = os.environ.get("SIGNOFF_VERIFY_KEY"), os.environ.get("SIGNOFF_DEPLOYMENT")
    if not keys:
        found = neighbours.find()
        local = found.settings if found else {}
        keys, deployment = local.get("SIGNOFF_VERIFY_KEY"), deployment or local.get("SIGNOFF_DEPLOYMENT")
    if not keys:
        raise ConfigError("SIGNOFF_VERIFY_KEY is not set: `signoff keys public` beside the server prints it.")
    return keys, deployment or DEPLOYMENT
