"""The one writer: everything that changes what a request is goes through `Approvals`.

Each change is one transaction that moves the row only from the state it was seen in, appends to the audit
log and holds the signed receipt. *Then* the response is published and `on_change` called; what fails there
is repeated by sweep, and never reaches the person who decided.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal

from signoff.approvals import audit, epochs, offers
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event, lines
from signoff.approvals.ballots import Ballots
from signoff.approvals.batch_cards import BatchCards
from signoff.approvals.batches import Batches
from signoff.approvals.breaker import Breaker
from signoff.approvals.cards import Cards
from signoff.approvals.decide import Votes
from signoff.approvals.endings import Endings
from signoff.approvals.enrolment import Enrolments
from signoff.approvals.errors import UnknownApproval
from signoff.approvals.factors import Proof
from signoff.approvals.feedback import Feedbacks, ask_about
from signoff.approvals.freeze import Freezing
from signoff.approvals.grace import Grace
from signoff.approvals.lessons import LessonBook
from signoff.approvals.questions import Questions
from signoff.approvals.receipts import Receipts, tells
from signoff.approvals.spend import Spending
from signoff.approvals.standing import shown_of, standing
from signoff.approvals.stopping import Stopping
from signoff.approvals.submit import Submission
from signoff.approvals.talks import Talks
from signoff.approvals.times import Times
from signoff.approvals.undo import Undos
from signoff.approvals.undoers import Undoers
from signoff.approvals.vault import Vault
from signoff.approvals.verdicts import Judge
from signoff.models import absences, batch_rows, calls, changes, judgements
from signoff.models.approval import Approval
from signoff.models.lessons import Wanted
from signoff.models.messages import ApprovalRequest, Freeze, Outcome, Response
from signoff.models.people import Directory, Person
from signoff.models.receipt import Receipt, Status
from signoff.models.receipt_claims import APPROVAL
from signoff.models.store import Store
from signoff.models.votes import voted_on
from signoff.policy.policy import Policy
from signoff.queue.publisher import Publisher

UNCOMMITTED = "Signoff was updated: its id does not commit to what it asks for, as ids do now. Ask again."
"""Why an update ended what was asked before it."""


class Approvals:
    """Submit, decide, expire, cancel, report.

    `policy` gives the policy in force. `on_change` is called with an approval's id after each visible
    change, and must not raise. `channel` is the kind of cards that requests get. `judge` asks the policy,
    `cards` notes what stands in a channel, `questions` takes answers, `batches` are what is asked together,
    `talks` what people ask an agent, `grace` holds what runs after a while, `undo` and `undoers` undo, `told`
    does what follows once an agent knows, `feedback` asks if what ran was right, `lessons` is what agents
    learn, `times` reminds people, hands on, and notes who is away. `stopping` is what is stopped: `stop`,
    `resume` and `stops` are its; `admins` are the user ids of who may, where no policy says.
    """

    def __init__(
        self,
        store: Store,
        receipts: Receipts,
        publisher: Publisher,
        policy: Callable[[], Policy],
        directory: Directory,
        on_change: Callable[[str], None],
        channel: str = "slack",
        admins: Collection[str] = (),
        vault: Vault | None = None,
    ) -> None:
        self.store = store
        self.publisher = publisher
        self.judge = Judge(
            policy, directory, store.get, lambda: absences.read(store), lambda: voted_on(store)
        )
        self.cards = Cards(store)
        self.batch_cards = BatchCards(store, channel)
        self._receipts = receipts
        self._announcer = Announcer(store, receipts, publisher, on_change)
        self.told = self._announcer.told
        self._endings = Endings(store, receipts, self._announcer)
        self._submission = Submission(
            store, receipts, publisher, self.judge, self._announcer, self._endings, channel
        )
        self._spending = Spending(store, receipts, publisher, self._announcer)
        ballots = Ballots(store, self.judge, directory)
        self.enrolments = Enrolments(store, vault or Vault(None))
        self.factors = self.enrolments.taken
        voting = (ballots, self._announcer, channel, self.factors)
        self._votes = Votes(store, self.judge, self._endings, *voting)
        self.undo = Undos(store, self.judge, receipts, publisher, self._announcer, self._spending.take_up)
        self.undoers = Undoers(store, self.judge, receipts, publisher)
        self.talks = Talks(store, receipts, publisher, self._votes, self._announcer)
        self.grace = Grace(store, self.judge, self._votes, self._endings, self._announcer, publisher.heard)
        self.questions = Questions(self._votes, self._endings)
        self.times = Times(store, self.judge, self._votes, publisher, self._announcer)
        said = (receipts, publisher, self._endings, self._announcer, directory, admins)
        self.stopping = Stopping(store, self.judge, *said)
        self.breaker = Breaker(store, policy, self.stopping)
        self._endings.rejected = self.breaker.rejected
        self.stop, self.resume, self.stops = self.stopping.stop, self.stopping.resume, self.stopping.stops
        self.lessons = LessonBook(store, policy)
        self.feedback = Feedbacks(store, directory, self._votes, self._endings, self._announcer)
        self._freezing = Freezing(
            store, receipts, publisher, self.judge, self._announcer, self._endings, channel
        )
        self.batches = Batches(store, self.judge, self._votes, self._announcer, self._freezing)

    def submit(self, agent: str, request: ApprovalRequest) -> Approval:
        """A request becomes an Approval; one that is there already stays as it is.

        Raises Invalid (the request is at fault), Duplicate (its key belongs to another request of the same
        content, or the same waits) or Limited; what was refused before is refused as then (Expired: a restore
        has lost it). RedisError and the database's errors pass.
        """
        return self._submission.take(agent, request)[0]

    def take(self, agent: str, request: ApprovalRequest) -> tuple[Approval, bool]:
        """As `submit`; and whether it is new: of many that submit the same at once, one is told so."""
        return self._submission.take(agent, request)

    def freeze(self, agent: str, name: str, frozen: Freeze, told_at: str) -> None:
        """Its agent has sent all of a batch, and is told `told_at` that this was read: see `Batches.freeze`.

        Raises Invalid, or RedisError.
        """
        self._freezing.freeze(agent, name, frozen)
        self.publisher.mark_frozen(agent, told_at)

    def tell(self, approval: Approval) -> None:
        """Tell its agent where a request stands, once more where need be; raises RedisError."""
        if approval.pending:
            self.publisher.mark_received(approval, self.store.clock(), self.stopping.held(approval))
            return
        standing = self.publisher.standing(approval.agent, approval.request_id)
        approval = self._spending.take_up(approval, standing)
        if not tells(standing, approval):
            at = self.store.clock()
            self.publisher.publish(approval, self._receipts.response(approval, at=at), at)
            self.store.mark_published(approval.id)

    def response(self, approval: Approval) -> Response:
        """What an agent that asks now is told of its request; raises RedisError."""
        if approval.pending:
            return self.stopping.pending(approval)
        standing = self.publisher.standing(approval.agent, approval.request_id)
        approval = self._spending.take_up(approval, standing)
        return self._receipts.response(approval, at=self.store.clock())

    def refuse(
        self, agent: str, request_id: str, status: Status, reason: str, *,
        lost: bool = False, kind: str = APPROVAL,
    ) -> None:  # fmt: skip
        """Tell an agent of a request that never became an Approval; raises RedisError.

        Whatever it was told before stands; only of a `lost` one not, that it was received.
        """
        at = self.store.clock()
        receipt = self._receipts.refuse(agent, request_id, status, reason, at=at, kind=kind)
        self.publisher.publish_refusal(receipt, at, lost=lost)

    def refused(self, agent: str, request_id: str) -> Receipt | None:
        """What an agent was told of a request that never became an Approval; None where that is nothing of
        ours, or no longer valid. Raises RedisError.
        """
        return self._receipts.read(self.publisher.standing(agent, request_id), agent, request_id)

    def find(self, agent: str, request_id: str) -> Approval | None:
        """The Approval of an agent's request; None where there is none."""
        return self.store.find(agent, request_id)

    def get(self, approval_id: str) -> Approval:
        """One Approval as it is now; raises UnknownApproval."""
        approval = self.store.get(approval_id)
        if approval is None:
            raise UnknownApproval
        return approval

    def open_for(self, approval_id: str, version: int, user_id: str) -> tuple[Approval, Person]:
        """An Approval that this person may decide on now, at the version that they saw, and the person.

        Its verdict is today's: what the policy in force says of it, see `standing`. Raises UnknownApproval,
        NotAllowed, BlockedNow (it has ended so), Restored, TimeRanOut, AlreadyDecided or EditedMeanwhile.
        """
        return self._votes.open_for(approval_id, version, user_id)

    def waiting_for(self, user_id: str, about: str = "") -> list[str]:
        """The ids of all that this person may decide now, oldest first; of one agent or action `about`.

        Somebody who may not decide anything is given none; what the directory raises passes.
        """
        asked = (one for one in self.store.waiting(about) if not one[1].grace)
        return self.judge.among(user_id, asked)

    def decide(
        self,
        approval_id: str,
        version: int,
        user_id: str,
        vote: Literal["approve", "reject"],
        *,
        reason: str = "",
        resubmit: bool = False,
        payload: dict[str, Any] | None = None,
        permalink: str | None = None,
        proof: Proof | None = None,
    ) -> Approval:
        """A person's vote on the `version` they saw; `payload` approves with these corrections.

        It waits on where that was not the last vote that it needs. Who may not approve what they have changed
        only proposes that, and what others have to decide on is theirs from then on.

        `permalink` is where they saw it: a click may be quicker than the note of where the card stands.

        Raises what `open_for` and `Judge.judge_edit` do, Unproven (the policy wants another `proof`), or
        Invalid (the corrections are). The database's errors pass: then nothing has changed.
        """
        return self._votes.decide(
            approval_id, version, user_id, vote,
            reason=reason, resubmit=resubmit, payload=payload, permalink=permalink, proof=proof,
        )  # fmt: skip

    def take_back(self, approval_id: str, version: int, user_id: str) -> Approval:
        """A person takes their vote back; raises what `open_for` does, or HasNotVoted."""
        return self._votes.take_back(approval_id, version, user_id)

    def stale(self) -> list[str]:
        """The ids of what waits and has to be judged again, as another policy is in force by now."""
        return judgements.stale(self.store, self.judge.policy.digest)

    def judge_again(self, approval_id: str) -> None:
        """What today's policy blocks ends as blocked; a card that shows what is no longer so is due.

        Nothing of it counts in limits. What has ended meanwhile stays as it is.
        """
        approval, policy = self.get(approval_id), self.judge.policy
        if not approval.pending or approval.restored:
            return
        verdict = standing(approval, policy)
        if verdict.effect == "block":
            self._votes.block(approval, verdict)
            return
        if approval.verdict.in_grace and not verdict.in_grace:
            self.grace.turn(approval, verdict)
            return
        if approval.verdict.in_grace:
            self.grace.follow(approval, verdict)
        drawn = approval.drawn or shown_of(approval.verdict)
        moved = approval.shown_at is not None and drawn != shown_of(verdict)
        with self.store.transaction() as connection:
            events, alone = [], bool(policy.batch.why_alone(approval.action, verdict))
            if approval.batch_id is not None:
                events = self._freezing.judged(connection, approval, alone)
            judgements.note_judged(connection, approval_id, policy.digest, moved)
            calls.again(connection, approval, verdict)
            if events:
                audit.append(connection, *events)

    def cancel(self, agent: str, request_id: str, reason: str = "") -> Approval | None:
        """Its agent withdraws a request; None where there is none. A decision that stands is kept."""
        approval = self.store.find(agent, request_id)
        if approval is None or not approval.pending:
            return approval
        ended = self._endings.end(approval, "cancelled", actor=agent, reason=reason)
        return ended or self.store.get(approval.id)

    def expire(self, approval_id: str) -> Approval | None:
        """Nobody answered in time; None where it is not so."""
        approval = self.get(approval_id)
        reason = "" if approval.request.nonce else UNCOMMITTED
        return self._endings.end(approval, "expired", actor="signoff", reason=reason)

    def close_restored(self, approval_id: str) -> Approval | None:
        """What a restore has closed ends: as its receipt in Redis says, else as expired.

        None where it has ended; raises RedisError: then it has not.
        """
        approval = self.get(approval_id)
        standing = self.publisher.standing(approval.agent, approval.request_id)
        receipt = self._receipts.read(standing, approval.agent, approval.request_id)
        if receipt is None:
            return self._endings.end(approval, "expired", actor="signoff", reason=epochs.CLOSED)
        return self._endings.adopt(approval, receipt)

    def teach(self, agent: str, asked: str, wanted: Wanted) -> None:
        """Tell an agent the lessons that it has asked for under the id `asked`; raises RedisError.

        Nothing else that stands under that id is covered.
        """
        found = self.lessons.of(agent, wanted.action, wanted.limit)
        told = self._receipts.lessons(agent, asked, found, at=self.store.clock())
        self.publisher.publish_lessons(agent, asked, told)

    def spend(self, agent: str, request_id: str, by: str) -> Response:
        """A process is about to run what was approved: the first one may; see `Spending.spend`."""
        return self._spending.spend(agent, request_id, by)

    def report(self, agent: str, request_id: str, outcome: Outcome) -> None:
        """What became of an approved action. The first report counts; others are passed over.

        From then on nobody is told any more that it may run.
        """
        approval = self.store.find(agent, request_id)
        if approval is None:
            return
        with self.store.transaction("report") as connection:
            if approval.batch_id is not None:
                batch_rows.stir(connection, approval.batch_id)
            if not changes.report(connection, approval.id, outcome.model_dump_json()):
                return
            data = lines.reported(outcome, changes.salt(connection, approval.id))
            at = changes.clock(connection)
            ask_about(connection, approval, at)
            if approval.card is None and approval.batch_id is None:
                changes.note_delivered(connection, approval.id, approval.revision + 1)
            offers.reported(connection, approval, outcome)
            audit.append(connection, Event("outcome", approval.id, at, agent, data))
        self._announcer.publish_noted(self.get(approval.id), at)
        self._announcer.wake("report", approval.undoes or approval.id)
        if not outcome.succeeded:
            self.breaker.failed(agent)
