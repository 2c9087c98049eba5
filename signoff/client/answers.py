"""What comes back of a request: found, waited for, and verified to be of that request."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from signoff import receipts
from signoff.client.mistakes import checked_id
from signoff.client.pending import UNSEEN
from signoff.client.road import Exchange
from signoff.errors import Invalid, NotVerified, SignoffError, WaitTimeout, refusal
from signoff.models import crash
from signoff.models.messages import Response
from signoff.models.receipt import ApprovedReceipt, Receipt
from signoff.models.receipt_claims import QUESTION

UNANSWERED = "Nobody has answered yet: the question stays pending, and resume_question() waits for it again."
IS_QUESTION = "It is a question, and is answered: resume_question() takes it up, and wait() gives the answer."
IS_REQUEST = "It is a request for an approval, and no question: resume() takes it up."


@dataclass(frozen=True)
class Named:
    """A request, by all that its agent knows of it: what comes back has to fit.

    `digest` is its payload's, and `nonce` is made of its key.
    """

    id: str
    digest: str | None = None
    nonce: str | None = None


@dataclass(frozen=True)
class Answers:
    """What an exchange brings for one agent, by whose keys and in whose name it is signed."""

    exchange: Exchange
    agent: str
    keys: receipts.VerifyKeys
    issuer: str

    async def by_key(self, nonce: str) -> Named | None:
        """The request whose key this nonce is made of; None: no server knows one. Raises NotVerified."""
        found = await self.exchange.find(nonce)
        if not found:
            return None
        try:
            return Named(checked_id(found), nonce=nonce)
        except Invalid:
            raise NotVerified("What stands under its key in Redis is none of Signoff's.") from None

    def accept(self, response: Response, request: Named) -> Receipt:
        """Its receipt; raises NotVerified."""
        receipt = receipts.accept(
            response,
            self.keys,
            agent=self.agent,
            request_id=request.id,
            digest_sent=request.digest,
            issuer=self.issuer,
        )
        if request.nonce is not None and not hmac.compare_digest(receipt.nonce or "", request.nonce):
            raise NotVerified("It is the receipt of a request with another key.")
        return receipt

    async def final(
        self, request: Named, timeout: float | None, body: str | None = None, says: str = ""
    ) -> Response:
        """How it has ended; raises WaitTimeout after `timeout` seconds, which `says` what that means."""
        try:
            return await self.exchange.wait(request.id, timeout, body)
        except TimeoutError:
            unseen = await self._unseen(request.id)
            raise WaitTimeout(f"Request {request.id}, after {timeout:g} s.{unseen}", says) from None

    async def approved(self, request: Named, timeout: float | None, body: str | None) -> ApprovedReceipt:
        """Its receipt, once approved; raises a NotApproved when it ends otherwise."""
        receipt = await self._final(request, timeout, body)
        if isinstance(receipt, ApprovedReceipt):
            return receipt
        if receipt.kind == QUESTION and receipt.status == "answered" and body is None:
            raise Invalid(IS_QUESTION, receipt)
        raise _refused(receipt)

    async def answered(self, request: Named, timeout: float | None, body: str | None) -> Receipt:
        """A question's receipt, once answered; raises a NotApproved when it ends otherwise."""
        receipt = await self._final(request, timeout, body, UNANSWERED)
        if receipt.status == "answered":
            return receipt
        if receipt.approved and body is None:
            raise Invalid(IS_REQUEST, receipt)
        raise _refused(receipt)

    async def _final(
        self, request: Named, timeout: float | None, body: str | None, says: str = ""
    ) -> Receipt:
        response = await self.final(request, timeout, body, says)
        crash.here("client.answered")
        receipt = self.accept(response, request)
        crash.here("client.verified")
        return receipt

    async def _unseen(self, request_id: str) -> str:
        """What is to be said of a request that no server has taken; nothing of one that is pending."""
        try:
            known = await self.exchange.lookup(request_id)
        except SignoffError:
            return ""
        return "" if known else UNSEEN.format(agent=self.agent)


def _refused(receipt: Receipt) -> SignoffError:
    """What is raised where it ended otherwise than whoever waits had hoped."""
    who = f"{receipt.decided_by.name}: " if receipt.decided_by else ""
    why = f" Why: {receipt.why}." if receipt.status == "blocked" and receipt.why else ""
    return refusal(receipt, f"{who}{receipt.reason}{why}".strip())
