"""`signoff verify`: what an executor checks before it runs anything. It needs no Redis."""

from __future__ import annotations

import argparse
import hmac
import os
import sys

from signoff.cli.output import tell
from signoff.cli.parsers import Commands, command, json_value
from signoff.errors import ConfigError, NotVerified

EPILOG = """\
Checks the signature, the key, whom the receipt is for, and that it is still valid; with --payload also
that it is for exactly this payload. The keys are in SIGNOFF_VERIFY_KEY, else those of the server that this
user runs on this machine.

  signoff verify "$RECEIPT" --agent billing-bot --payload @payload.json && run

A receipt may be used once: remember its id (jti) where it must not run twice.

exit: 0 approved   8 does not verify   otherwise as the receipt's status says:
      2 invalid   3 rejected   4 expired   5 cancelled
      9 blocked, limited or duplicate
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser = command(
        commands, "verify", _verify, "check a receipt, before running anything", common=common, epilog=EPILOG
    )
    parser.add_argument("token", metavar="TOKEN|-", nargs="?", default="-", help="the receipt; - is stdin")
    parser.add_argument("--payload", metavar="JSON|@FILE", help="what is about to run")
    parser.add_argument("--agent", metavar="NAME", help="whose request it is (default: SIGNOFF_AGENT)")
    parser.add_argument("--json", action="store_true", help="one line of JSON, as `signoff request` has it")


def _verify(arguments: argparse.Namespace) -> int:
    from signoff import receipts
    from signoff.payload.canonical import canonical, digest

    keys, agent = _keys_and_agent(arguments.agent)
    token = sys.stdin.read() if arguments.token == "-" else arguments.token
    receipt = receipts.verify(token.strip(), receipts.verify_keys(keys), agent)
    if arguments.payload is not None:
        payload = json_value("--payload", arguments.payload)
        given = digest(canonical(payload, "--payload"))
        if not receipt.approved or not hmac.compare_digest(given, receipt.digest or ""):
            raise NotVerified(f"It is {receipt.status}, and not for this payload.")
        receipt = receipt.model_copy(update={"payload": payload})
    return tell(receipt, json_wanted=arguments.json)


def _keys_and_agent(agent: str | None) -> tuple[str, str]:
    from signoff.client import settings
    from signoff.queue.data_folder import agent_settings

    keys, name = os.environ.get("SIGNOFF_VERIFY_KEY"), agent or os.environ.get("SIGNOFF_AGENT")
    if not keys and (left := agent_settings()):
        keys = left.get("SIGNOFF_VERIFY_KEY")
        name = name or settings.LOCAL_AGENT
    if not keys:
        raise ConfigError("SIGNOFF_VERIFY_KEY is not set: `signoff keys public` beside the server prints it.")
    if not name:
        raise ConfigError("SIGNOFF_AGENT is not set: say with --agent whose request it is.")
    return keys, name
