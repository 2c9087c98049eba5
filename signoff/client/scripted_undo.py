"""Undoing in tests: the function that was registered runs, by a receipt as the server signs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from signoff import receipts
from signoff.client import undo as undos
from signoff.client.script import AGENT, Script
from signoff.client.scripted_receipts import receipt_of
from signoff.models import identity
from signoff.models.messages import ApprovalRequest, Outcome, Response, payload_digest
from signoff.models.receipt import ApprovedReceipt
from signoff.payload.canonical import canonical
from signoff.receipts import Signer, sign, verify_keys

if TYPE_CHECKING:
    from signoff.client.undo import Undo

NOTHING_UNDOES = "Nothing undoes by {action}: register a function by @….undo(…) first. Registered: {names}."
SEVERAL = "Several functions undo: say action=…, one of {names}."


async def play(
    signer: Signer, first: ApprovalRequest, said: Mapping[str, Any], script: Script
) -> tuple[str, Outcome]:
    """Undo what `first` asked for, with the payload that the policy would have filled in → the undo's id, and
    what its agent reports. `script` names the action (empty: the only one) and the person.

    Raises AssertionError where nothing undoes by that, Invalid for a payload that cannot travel.
    """
    undo = _registered(script.action)
    nonce, payload = identity.new_nonce(), dict(said)
    made = identity.request_id("approval", AGENT, undo.action, payload_digest(payload), nonce)
    asked = ApprovalRequest(id=made, nonce=nonce, action=undo.action, payload=payload)
    text = canonical(asked.payload)
    signed = sign(signer, receipt_of(asked, script, text, None, undoes=str(first.id)))
    answer = Response(status="approved", action=undo.action, receipt=signed, payload=text)
    keys = verify_keys(signer.verify_key)
    receipt = receipts.accept(answer, keys, agent=AGENT, request_id=str(made))
    assert isinstance(receipt, ApprovedReceipt)
    note = await undos.fault(undo, receipt)
    return receipt.id, Outcome(succeeded=not note, note=note)


def _registered(action: str) -> Undo:
    known = {one.action: one for one in undos.REGISTERED}  # of one action the last
    names = ", ".join(sorted(known)) or "none"
    if action and action not in known:
        raise AssertionError(NOTHING_UNDOES.format(action=action, names=names))
    if not action and len(known) != 1:
        raise AssertionError((SEVERAL if known else NOTHING_UNDOES).format(action="anything", names=names))
    return known[action] if action else next(iter(known.values()))
