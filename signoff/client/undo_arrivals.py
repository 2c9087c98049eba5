"""What arrives for whoever undoes by an action: an undo, a test, neither, or what it cannot verify.

What it cannot verify though it says that it is for this agent and action is left to the agent's other
processes: the server may sign with a key that this process was not told yet.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from typing import Any, Protocol

from signoff import receipts
from signoff.client.answers import Named
from signoff.client.link import Link
from signoff.errors import NotVerified
from signoff.models.messages import Response
from signoff.models.receipt import ApprovedReceipt
from signoff.signatures import claimed

log = logging.getLogger("signoff")

GROUP = "undo:"
"""Before the action that undoes: the group of all processes that undo by it."""
TEST = "test:"
"""Before the id of what asks a process to run its own test."""
TAKE_OVER_MS = 5_000
"""After so long without an acknowledgement another process takes it: well before its card says that nobody
did. Which of them runs it is the server's word, so nothing runs twice.
"""
REMEMBERED = 1_000
LEFT = (
    "undo by %s: this process leaves %s to another one: %s Set SIGNOFF_VERIFY_KEY to what `signoff keys "
    "public` prints, and start this process again. Where nobody takes an undo within 30 s, its card says so."
)


class Left(Exception):
    """It is for this agent and action by its own word, and cannot be verified here."""


class Client(Protocol):
    """What is needed of an AsyncSignoff."""

    @property
    def _link(self) -> Link: ...


class Arrivals:
    """Reads what stands under the ids that arrive, for one action."""

    def __init__(self, client: Client, action: str) -> None:
        self._link = client._link
        self._action = action
        self._said: OrderedDict[str, None] = OrderedDict()

    async def undo(self, request_id: str) -> ApprovedReceipt | None:
        """The receipt of an undo by this action, verified; None for all else that arrives; raises Left."""
        answers = self._link.answers()
        response = await answers.exchange.lookup(request_id)
        if response is None:
            return None
        try:
            receipt = answers.accept(response, Named(request_id))
        except NotVerified as error:
            self._refuse(request_id, response, error, "undoes")
            return None
        mine = isinstance(receipt, ApprovedReceipt) and receipt.undoes and receipt.action == self._action
        return receipt if mine and isinstance(receipt, ApprovedReceipt) else None

    async def test(self, test_id: str) -> bool:
        """Whether it asks for the test of this action; raises Left."""
        response = await self._link.exchange().lookup(test_id)
        if response is None:
            return False
        keys, issuer = self._link.keys()
        token, agent = response.receipt or "", self._link.agent
        try:
            wanted = receipts.verify_undo_test(token, keys, agent, test_id, issuer=issuer)
        except NotVerified as error:
            self._refuse(test_id, response, error, "action")
            return False
        return wanted == self._action

    def _refuse(self, arrived: str, response: Response, error: NotVerified, names: str) -> None:
        """What is not verified is said once; raises Left where it says that it is for this agent and action.

        `names` is a claim that it has to have. What is over or for somebody else nobody would take.
        """
        said = _claims(response.receipt)
        is_left = (
            (said.get("aud"), said.get("sub"), said.get("action"))
            == (self._link.agent, arrived, self._action)
            and bool(said.get(names))
            and isinstance(said.get("exp"), int)
            and said["exp"] > time.time()
        )
        if arrived not in self._said:
            if is_left:
                log.error(LEFT, self._action, arrived, error.detail)
            else:
                log.warning("undo by %s: what came is not verified: %s", self._action, error.detail)
        self._said[arrived] = None
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        if is_left:
            raise Left from None


def _claims(token: str | None) -> dict[str, Any]:
    try:
        return claimed(token or "")
    except NotVerified:
        return {}
