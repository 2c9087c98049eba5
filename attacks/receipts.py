"""A receipt is taken to where it was not meant."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

from attacks.person import Person
from attacks.world import NotTried, World, held, refused
from signoff import (
    Duplicate,
    Guard,
    NotVerified,
    OtherAction,
    OtherPayload,
    Rejected,
    Stopped,
    Unreachable,
)
from signoff.receipts import Signer, sign, verify, verify_keys

PAYLOAD = {"customer": "cus_42", "amount": 120}


def _about(agent: str, action: str) -> tuple[str, ...]:
    """What `signoff verify` has to be told of PAYLOAD."""
    return "--agent", agent, "--action", action, "--payload", json.dumps(PAYLOAD)


def a_free_receipt_is_taken_to_the_refund_executor(world: World) -> None:
    """A note with a refund's payload is approved, and its receipt taken to the refund's executor."""
    receipt = world.approved("note-bot", "draft.note", PAYLOAD)
    guard = Guard(str(world.folder / "spent.db"), world.verify_key, agents=["note-bot"])
    with refused(OtherAction):
        guard.spend(receipt.token, PAYLOAD, action="refund.create")
    told = _about("note-bot", "refund.create")
    code, said = world.signoff("verify", receipt.token, *told)
    held(code == 8, f"signoff verify: {code}, {said}")


def a_receipt_is_verified_without_saying_for_what(world: World) -> None:
    """`signoff verify` with one of agent, action and payload left out."""
    receipt = world.approved("note-bot", "draft.other", PAYLOAD)
    what = _about("note-bot", "draft.other")
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
    said = json.dumps({"agent": "pay-bot", "token": receipt.token, "payload": PAYLOAD})
    run = subprocess.run(
        [sys.executable, "-P", "-m", "attacks.crowd", str(store), world.verify_key, "refund.twice", str(ran)],
        input=said, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    if run.returncode:
        raise NotTried(f"one of the fifty failed: {run.stderr}")
    held(run.stdout == "1\n" and ran.read_text() == "ran\n", f"it ran {run.stdout.strip()} times")


def a_receipt_is_spent_twice_in_a_shell(world: World) -> None:
    """`signoff verify … --once STORE && run`, two times; and with --inspect, which must never be 0."""
    receipt = world.approved("pay-bot", "refund.shell", PAYLOAD)
    what = _about("pay-bot", "refund.shell")
    codes = [
        world.signoff("verify", receipt.token, *what, *more)[0]
        for more in (("--inspect",), ("--once", "spent.db"), ("--once", "spent.db"))
    ]
    held(codes == [10, 0, 9], f"exit codes {codes}")


def a_refusal_is_taken_for_an_approval(world: World) -> None:
    """The receipt of what a person has rejected, at the guard and at the shell."""
    ticket, card = world.asked("pay-bot", "refund.refused", PAYLOAD)
    person = Person(world, world.approver)
    person.click(card, "reject")
    person.submit(person.form("reject"), **{"Why, or what to change": "no"})
    try:
        ticket.wait(30)
    except Rejected as refusal:
        receipt = refusal.receipt
    assert receipt
    guard = Guard(str(world.folder / "refused.db"), world.verify_key, agents=["pay-bot"])
    with refused(Rejected):
        guard.spend(receipt.token, PAYLOAD, action="refund.refused")
    what = _about("pay-bot", "refund.refused")
    code, said = world.signoff("verify", receipt.token, *what)
    held(code == 3, f"signoff verify: {code}, {said}")


def another_signed_thing_is_taken_for_a_receipt(world: World) -> None:
    """What the server signs when a receipt is spent, and the heads of its log."""
    world.approved("note-bot", "draft.spent", PAYLOAD)
    world.agent("note-bot").ask("free.spent", PAYLOAD, reversible=True, timeout=30)
    signed = [
        word
        for key in world.redis.scan_iter("signoff:dec:note-bot:*:spent")
        for word in re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", world.redis.get(key).decode())
    ]
    if not signed:
        raise NotTried("the server has signed nothing that was spent")
    for token in [*signed, world.head()]:
        with refused(NotVerified):
            verify(token, verify_keys(world.verify_key), "note-bot")


def a_receipt_is_taken_to_another_place(world: World) -> None:
    """To the executor of another agent, of another deployment, and of another key."""
    token = world.approved("pay-bot", "refund.place", PAYLOAD).token
    here = {"agents": ["pay-bot"], "deployment": "signoff"}
    for keys, more in (
        (world.verify_key, {"agents": ["rich-bot"]}),
        (world.verify_key, {"deployment": "production"}),
        (Signer.generate().verify_key, {}),
    ):
        guard = Guard(str(world.folder / "place.db"), keys, **{**here, **more})  # type: ignore[arg-type]
        with refused(NotVerified):
            guard.spend(token, PAYLOAD, action="refund.place")


class _Silent:
    """Where a stop is read, and nobody answers."""

    def stopped(self, agent: str, action: str) -> str:
        """Raises."""
        raise ConnectionError(f"nobody says of {agent}, {action}")


def a_guard_that_cannot_ask_lets_it_run(world: World) -> None:
    """Its store is out of reach; where stops are read, nobody answers."""
    token = world.approved("pay-bot", "refund.blind", PAYLOAD).token
    lost = Guard("redis://127.0.0.1:1/0", world.verify_key, agents=["pay-bot"])
    blind = Guard(str(world.folder / "b.db"), world.verify_key, agents=["pay-bot"], stops=_Silent())
    for guard in (lost, blind):
        with refused(Unreachable, Stopped):
            guard.spend(token, PAYLOAD, action="refund.blind")


def one_key_runs_an_action_in_two_processes(world: World) -> None:
    """A second process asks with the key of an action that has run."""
    ticket = world.agent("key-bot").request("refund.key", PAYLOAD, reversible=True, key="k")
    world.click(world.card("refund.key"), "approve")
    ticket.wait(30)
    first = world.agent("key-bot").ask("refund.key", PAYLOAD, reversible=True, key="k", timeout=30)
    held(first.payload == PAYLOAD, "the first one may not run it")
    with refused(Duplicate):
        world.agent("key-bot").ask("refund.key", PAYLOAD, reversible=True, key="k", timeout=30)
