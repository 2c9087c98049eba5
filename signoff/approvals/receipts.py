"""How an Approval's end becomes a signed receipt."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from signoff import receipts, stops
from signoff.errors import NotVerified
from signoff.models.approval import Approval
from signoff.models.lessons import Lessons
from signoff.models.messages import Decision, Response, moment
from signoff.models.receipt import DEPLOYMENT, Decider, NoteSaid, Notice, Receipt, Status, Voter
from signoff.models.receipt_claims import APPROVAL
from signoff.models.stops import Stop
from signoff.models.talks import Inquiry, Talk
from signoff.models.undone import VALID_SECONDS
from signoff.payload.canonical import digest
from signoff.receipts import Signer, VerifyKeys, accept, new_jti, verify_keys


class Receipts:
    """Signs, in the name of a deployment. A receipt is valid for `hours` from the decision on."""

    def __init__(self, signer: Signer, hours: float, deployment: str = DEPLOYMENT) -> None:
        self._signer = signer
        self._deployment = deployment
        self._keys = verify_keys(signer.verify_key)
        self.lifetime = timedelta(hours=hours)

    def end(
        self,
        approval: Approval,
        status: Status,
        *,
        at: int,
        reason: str = "",
        decision: Decision | None = None,
        voters: Sequence[Decision] = (),
    ) -> Receipt:
        """The receipt of an Approval that ends now, `at` (microseconds), with its payload.

        `decision` is the last vote, `voters` are all that make this end, that one among them.
        """
        decider = None
        if decision:
            decider = Decider(
                id=decision.approver,
                name=decision.name,
                at=moment(at),
                second_factor=decision.second_factor,
            )
        return self._sign(
            at,
            lifetime=_lifetime(approval, status),
            **_asked(approval),
            status=status,
            digest=digest(approval.payload_text),
            decided_by=decider,
            voters=tuple(_voter(one, at) for one in voters),
            reason=reason,
            answer=decision.answer if decision else None,
            undoes=approval.undoes,
            resubmit=bool(decision and decision.resubmit),
            never_shown=status == "expired" and approval.shown_at is None,
            policy=approval.verdict.policy,
            rule=approval.verdict.rule,
            why=approval.verdict.why,
        )

    def response(self, approval: Approval, *, at: int) -> Response:
        """What the agent of an Approval that has ended is told, now (microseconds).

        Its receipt, and what may run; once that is spent or reported, a `duplicate` instead: whoever asks
        again with the same key is not told a second time that it may run.
        """
        approved = approval.status == "approved"
        payload = approval.payload_text if approved else None
        if not (approved and approval.has_run):
            return Response(
                status=approval.status,
                receipt=approval.receipt,
                payload=payload,
                permalink=approval.permalink,
                notes=_notes(approval),
            )
        again = self._sign(at, **_asked(approval), status="duplicate", reason=_has_run(approval))
        return Response(status="duplicate", receipt=again.token, payload=payload, spent=approval.receipt)

    def notice(self, approval: Approval) -> Response:
        """Which process has spent an Approval's receipt, for all that asked to."""
        assert approval.receipt and approval.spent_by and approval.spent_at
        notice = Notice(
            id=approval.request_id,
            agent=approval.agent,
            signed=receipts.token_digest(approval.receipt),
            by=approval.spent_by,
            at=moment(approval.spent_at),
        )
        token = receipts.sign_notice(self._signer, notice, self._deployment)
        return Response(status="spent", receipt=token)

    def stopped(self, approval: Approval, stop: Stop, *, at: int) -> Response:
        """What who would run what was approved is told of a stop."""
        told = self._sign(at, **_asked(approval), status="blocked", reason=f"{stop.said}.")
        return Response(status="blocked", receipt=told.token)

    def statement(self, number: int, found: Iterable[Stop], *, at: int) -> str:
        """What is stopped, signed, now (microseconds)."""
        return stops.sign(self._signer, self._deployment, number, found, at // 1_000_000)

    def lessons(self, agent: str, asked: str, found: Lessons, *, at: int) -> Response:
        """What an agent is told that has asked for lessons under this id, now (microseconds)."""
        token = receipts.sign_lessons(self._signer, self._deployment, agent, asked, found, moment(at))
        return Response(status="lessons", receipt=token)

    def inquiry(self, approval: Approval, talk: Talk, not_after: int) -> str:
        """A person's question, signed for an Approval's agent; valid until `not_after` (microseconds)."""
        inquiry = Inquiry(
            id=talk.id,
            agent=approval.agent,
            request_id=approval.request_id,
            action=approval.action,
            version=talk.version,
            digest=digest(approval.payload_text),
            text=talk.question,
            by_id=talk.by_id,
            by=talk.name,
            asked_at=moment(talk.asked_at),
            not_after=moment(not_after),
        )
        return receipts.sign_inquiry(self._signer, inquiry, self._deployment)

    def undo_test(self, agent: str, action: str, *, at: int) -> tuple[str, str]:
        """What asks an agent to test an undo: its id, and the token."""
        test_id = f"test:{new_jti()}"
        return test_id, self.undo_test_token(agent, action, test_id, at=at)

    def undo_test_token(self, agent: str, action: str, test_id: str, *, at: int) -> str:
        """The same, of a test that has an id."""
        return receipts.sign_undo_test(self._signer, agent, test_id, action, self._deployment, moment(at))

    def undo_nonce(self, approval_id: str, attempt: int) -> str:
        """The nonce of an undo: always the same of one attempt at undoing something, which nobody else knows,
        so that its id is found again by a server that was put back, and nobody takes it before.
        """
        said = f"{approval_id}:{attempt}".encode()
        return hmac.new(self._signer.derive("undo"), said, hashlib.sha256).hexdigest()[:32]

    @property
    def keys(self) -> VerifyKeys:
        """By which what it signs is verified."""
        return self._keys

    def read_notice(self, response: Response | None, approval: Approval) -> Notice | None:
        """The notice that Redis holds, where it is ours and of this Approval's receipt."""
        receipt = self._own(approval)
        if response is None or response.receipt is None or receipt is None:
            return None
        try:
            return receipts.verify_notice(response.receipt, self._keys, receipt)
        except NotVerified:
            return None

    def refuse(
        self, agent: str, request_id: str, status: Status, reason: str, *, at: int, kind: str = APPROVAL
    ) -> Receipt:
        """The receipt of a request that never became an Approval; `kind` as far as it could be read."""
        return self._sign(at, id=request_id, kind=kind, agent=agent, action="", status=status, reason=reason)

    def read(
        self, response: Response | None, agent: str, request_id: str, *, over: bool = False
    ) -> Receipt | None:
        """The receipt in an answer that Redis holds, where it is ours, for this request, and still valid; or
        no longer, where it may be `over`.

        Of one that has run since, it is the receipt by which it was approved.
        """
        if response is not None and response.spent:
            update = {"status": "approved", "receipt": response.spent}
            response = response.model_copy(update=update)
        if response is None or response.receipt is None:
            return None
        try:
            return accept(
                response, self._keys, agent=agent, request_id=request_id, issuer=self._deployment, over=over
            )
        except NotVerified:  # whoever can write to Redis may have put it there
            return None

    def holds(self, approval: Approval) -> bool:
        """Whether an Approval's receipt lets its action run now: it approves, and its time is not over."""
        found = self._own(approval)
        return found is not None and found.approved

    def says_run(self, response: Response | None, approval: Approval) -> bool:
        """Whether a response is our word that an Approval's action runs, or has run."""
        if response is None or response.status != "duplicate" or response.spent != approval.receipt:
            return False
        try:
            told = accept(
                response,
                self._keys,
                agent=approval.agent,
                request_id=approval.request_id,
                digest_sent=approval.digest_sent,
                issuer=self._deployment,
            )
        except NotVerified:
            return False
        return told.digest_sent == approval.digest_sent

    def _own(self, approval: Approval) -> Receipt | None:
        """The receipt in a row, where it is ours, and still valid."""
        try:
            return receipts.verify(
                approval.receipt or "", self._keys, approval.agent, issuer=self._deployment
            )
        except NotVerified:
            return None

    def _sign(self, at: int, *, lifetime: timedelta | None = None, **claims: Any) -> Receipt:
        """A receipt of these claims, issued `at` (microseconds) in this deployment's name; valid for
        `lifetime`, and never for longer than any.
        """
        issued_at = moment(at)
        receipt = Receipt(
            **claims,
            issuer=self._deployment,
            jti=new_jti(),
            issued_at=issued_at,
            not_after=issued_at + min(lifetime or self.lifetime, self.lifetime),
        )
        return receipt.model_copy(update={"token": receipts.sign(self._signer, receipt)})


def tells(standing: Response | None, approval: Approval) -> bool:
    """Whether what stands in Redis is the final response of an Approval that has ended."""
    if standing is None:
        return False
    if approval.has_run:
        return standing.status == "duplicate" and standing.spent == approval.receipt
    payload = approval.payload_text if approval.status == "approved" else None
    said = (approval.status, approval.receipt, payload)
    return (standing.status, standing.receipt, standing.payload) == said


def _voter(vote: Decision, at: int) -> Voter:
    """Somebody's vote; of the one that is given now, `at`, nobody has noted when."""
    return Voter(
        id=vote.approver,
        name=vote.name,
        at=vote.at or moment(at),
        seat=vote.seat,
        second_factor=vote.second_factor,
        self=vote.self_approved,
        deputy_for=vote.deputy_for,
    )


def _lifetime(approval: Approval, status: Status) -> timedelta | None:
    """For how long what is approved may run, by the policy or as an undo; None as long as any receipt."""
    if approval.undoes:
        return timedelta(seconds=VALID_SECONDS)
    valid = approval.verdict.times.valid if status == "approved" else None
    return None if valid is None else timedelta(seconds=valid)


def _asked(approval: Approval) -> dict[str, Any]:
    """What every receipt of an Approval says of its request; an id that commits to nothing names none."""
    return {
        "id": approval.request_id,
        "kind": approval.request.kind,
        "agent": approval.agent,
        "action": approval.action,
        "version": approval.version,
        "digest_sent": approval.digest_sent if approval.request.nonce else None,
        "nonce": approval.request.nonce,
    }


def _notes(approval: Approval) -> tuple[NoteSaid, ...] | None:
    """What people have noted for its agent; None where nobody has."""
    found = (NoteSaid(by=one.name, text=one.text, at=moment(one.at)) for one in approval.notes)
    return tuple(found) or None


def _has_run(approval: Approval) -> str:
    """Why an approved request is not told again that it may run."""
    if approval.outcome is not None:
        return "It has run already, and " + ("succeeded." if approval.outcome.succeeded else "failed.")
    return f"It runs, or has run, already: {approval.spent_by} was told so. Ask with another key."
