"""A receipt is taken to where it was not meant."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

from attacks.world import World, held, refused
from signoff import Duplicate, Guard, NotVerified, OtherAction, OtherPayload
from signoff.receipts import Signer, sign, verify, verify_keys

PAYLOAD = {"customer": "cus_42", "amount": 120}


def a_free_receipt_is_taken_to_the_refund_executor(world: World) -> None:
    """A note with a refund's payload is approved, and its receipt taken to the refund's executor."""
    receipt = world.approved("note-bot", "draft.note", PAYLOAD)
    guard = Guard(str(world.folder / "spent.db"), world.verify_key, agents=["note-bot"])
    with refused(OtherAction):
        guard.spend(receipt.token, PAYLOAD, action="refund.create")
    told = ("--agent", "note-bot", "--action", "refund.create", "--payload", json.dumps(PAYLOAD))
    code, said = world.signoff("verify", receipt.token, *told)
    held(code == 8, f"signoff verify: {code}, {said}")


def a_receipt_is_verified_without_saying_for_what(world: World) -> None:
    """`signoff verify` with one of agent, action and payload left out."""
    receipt = world.approved("note-bot", "draft.other", PAYLOAD)
    what = ["--agent", "note-bot", "--action", "draft.other", "--payload", json.dumps(PAYLOAD)]
    held(world.signoff("verify", receipt.token, *what)[0] == 0, "the receipt itself does not verify")
    for at in (0, 2, 4):
        code, said = world.signoff("verify", receipt.token, *what[:at], *what[at + 2 :])
        held(code == 2, f"without {what[at]}: {code}, {said}")


def another_amount_is_run_than_was_approved(world: World) -> None:
    """The payload beside a receipt is changed."""
    receipt = world.approved("pay-bot", "refund.small", PAYLOAD)
    guard = Guard(str(world.folder / "spent.db"), world.verify_key, agents=["pay-bot"])
    for more in ({**PAYLOAD, "amount": 999_999}, {**PAYLOAD, "amount": 120.5}, {**PAYLOAD, "to": "me"}, {}):
        with refused(OtherPayload):
            guard.spend(receipt.token, more, action="refund.small")


def another_spelling_of_a_receipt_counts_as_another_receipt(world: World) -> None:
    """`==` behind it, spaces in it, other bits at its end: to be spent a second time."""
    receipt = world.approved("pay-bot", "refund.spelled", PAYLOAD)
    keys = verify_keys(world.verify_key)
    head, body, signature = receipt.token.split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = letters[letters.index(signature[-1]) ^ 1]
    for token in (
        receipt.token + "==", receipt.token + "=", f"{head}=.{body}.{signature}", f" {receipt.token}",
        f"{receipt.token}\n", f"{head}.{body}.{signature[:-1]}{last}", f"{head}.{body}.{signature}.",
        f"{head}.\u200b{body}.{signature}",
    ):  # fmt: skip
        with refused(NotVerified):
            verify(token, keys, "pay-bot")


def a_receipt_is_signed_by_somebody_else_or_by_nobody(world: World) -> None:
    """Another key, `alg: none`, HS256 with the public key, another kind of signed thing."""
    receipt = world.approved("pay-bot", "refund.forged", PAYLOAD)
    keys = verify_keys(world.verify_key)
    _, body, signature = receipt.token.split(".")

    def headed(**head: str) -> str:
        return base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip("=")

    kid = next(iter(keys))
    for token in (
        sign(Signer.generate(), receipt),
        f"{headed(alg='none', typ='signoff-receipt+jwt', kid=kid)}.{body}.",
        f"{headed(alg='HS256', typ='signoff-receipt+jwt', kid=kid)}.{body}.{signature}",
        f"{headed(alg='EdDSA', typ='JWT', kid=kid)}.{body}.{signature}",
        f"{headed(alg='EdDSA', typ='signoff-notice+jwt', kid=kid)}.{body}.{signature}",
    ):
        with refused(NotVerified):
            verify(token, keys, "pay-bot")


def a_receipt_is_spent_twice(world: World) -> None:
    """Fifty processes take one receipt to one executor at once."""
    receipt = world.approved("pay-bot", "refund.twice", PAYLOAD)
    store, ran = world.folder / "twice.db", world.folder / "ran"
    program = (
        "import sys, json\nfrom signoff import Guard\nstore, key, token, ran = sys.argv[1:]\n"
        "guard = Guard(store, key, agents=['pay-bot'])\nsys.stdin.read()\n"
        f"guard.spend(token, {PAYLOAD!r}, action='refund.twice')\nopen(ran, 'a').write('ran\\n')\n"
    )
    command = [sys.executable, "-c", program, str(store), world.verify_key, receipt.token, str(ran)]
    source = str(Path(__file__).parents[1])
    started = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PYTHONPATH": source}
        )
        for _ in range(50)
    ]
    for process in started:
        assert process.stdin
        process.stdin.close()
    codes = [process.wait(120) for process in started]
    held(codes.count(0) == 1 and ran.read_text() == "ran\n", f"it ran {codes.count(0)} times")


def one_key_runs_an_action_in_two_processes(world: World) -> None:
    """A second process asks with the key of an action that has run."""
    ticket = world.agent("key-bot").request("refund.key", PAYLOAD, reversible=True, key="k")
    world.click(world.card("refund.key"), "approve")
    ticket.wait(30)
    first = world.agent("key-bot").ask("refund.key", PAYLOAD, reversible=True, key="k", timeout=30)
    held(first.payload == PAYLOAD, "the first one may not run it")
    with refused(Duplicate):
        world.agent("key-bot").ask("refund.key", PAYLOAD, reversible=True, key="k", timeout=30)
