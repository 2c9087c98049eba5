"""Was this right? Asked once of whoever approved and of the agent's owner, and answered by one of them.

Nothing runs by an answer, whatever it says: a correction is told to agents as a lesson (`lessons`), as data.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from signoff.approvals import audit, authority
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event, lines
from signoff.approvals.decide import Votes
from signoff.approvals.endings import Endings
from signoff.approvals.errors import FeedbackGiven, FeedbackOver, NotAsked, Tampered, UnknownApproval
from signoff.errors import Invalid
from signoff.models import batch_rows, changes, owners
from signoff.models import feedback_rows as asked
from signoff.models.approval import Approval
from signoff.models.feedback import ANSWERS, KIND, MAX_TEXT, Feedback, is_sampled
from signoff.models.identity import new_id
from signoff.models.messages import Decision
from signoff.models.people import Directory, Person
from signoff.models.questions import GivenAnswer
from signoff.models.store import Store
from signoff.payload.blank import is_blank
from signoff.payload.secrets import secret_in
from signoff.policy.placements import OF_BATCH

log = logging.getLogger("signoff.approvals")


class Feedbacks:
    """Asks and notes. Each answer is one row, one line of the log, and the only one."""

    def __init__(
        self, store: Store, directory: Directory, votes: Votes, endings: Endings, announcer: Announcer
    ) -> None:
        self._store = store
        self._directory = directory
        self._votes = votes
        self._endings = endings
        self._announcer = announcer

    def open_for(self, approval_id: str, user_id: str) -> Approval:
        """An Approval of which this person may say whether it was right; raises what `give` does."""
        return self._open(approval_id, user_id)[0]

    def give(self, approval_id: str, user_id: str, answer: str, text: str = "") -> Approval:
        """What a person says: `right`, `partly` or `wrong`, and what would have been right, in words.

        Raises Invalid (no such answer, over 3,000 characters, a secret in it, or partly and wrong without
        words), UnknownApproval (nobody was asked), NotAsked, FeedbackGiven (somebody was faster) or
        FeedbackOver (a week has passed); of a result that needed no approval also what `Approvals.decide`
        does. The database's errors pass: nothing has changed then.
        """
        if answer not in ANSWERS:
            raise Invalid(f"It is one of {', '.join(ANSWERS)}.")
        text = text.strip()
        if len(text) > MAX_TEXT:
            raise Invalid(f"A correction has at most {MAX_TEXT:,} characters.")
        if secret := secret_in(text):
            raise Invalid(f"It holds what looks like {secret}: the agent reads it, and so may others.")
        if answer != "right" and is_blank(text):
            raise Invalid("Say in words what would have been right: agents learn by that.")
        approval, person = self._open(approval_id, user_id)
        said = {"answer": answer, "text": text, "by_id": person.id, "name": person.name}
        done = self._answer(approval, said) if approval.feedback is None else self._note(approval, said)
        if not done:  # somebody was faster, or the time ran out: it says which
            self._open(approval_id, user_id)
            raise FeedbackOver
        found = self._store.get(approval.id)
        assert found is not None
        return found

    def _open(self, approval_id: str, user_id: str) -> tuple[Approval, Person]:
        found = self._store.look(approval_id)
        if found is None:
            raise UnknownApproval
        approval, now = found
        said = approval.feedback
        if said is None and approval.request.kind == KIND:
            return self._votes.open_for(approval.id, approval.version, user_id)
        if said is None:
            raise UnknownApproval
        person = authority.may_decide(user_id, (user_id,), self._directory)
        may = said.people(approval.decisions)
        if approval.request.kind != KIND and user_id not in may:
            raise NotAsked(may)
        if user_id == said.owner and user_id not in replace(said, owner=None).people(approval.decisions):
            self._check_owner(approval, user_id)
        if said.answer is not None:
            raise FeedbackGiven(said.answer, said.name, said.by_id, said.at or 0)
        if not said.is_open(now):
            raise FeedbackOver
        return approval, person

    def _check_owner(self, approval: Approval, user_id: str) -> None:
        """Raise Tampered unless the log, too, says that it is this person's agent."""
        with self._store.reading() as connection:
            if owners.told(connection, approval.agent) == user_id:
                return
        log.error("an owner was changed behind Signoff's back: agent=%s", approval.agent)
        raise Tampered

    def _note(self, approval: Approval, said: dict[str, Any]) -> bool:
        """Of an outcome: the row is answered, once."""
        with self._store.transaction("feedback") as connection:
            if approval.batch_id is not None:
                batch_rows.stir(connection, approval.batch_id)
            at = changes.clock(connection)
            if not asked.give(connection, approval.id, {**said, "at": at}):
                return False
            told = lines.feedback(said, changes.salt(connection, approval.id))
            audit.append(connection, Event("feedback", approval.id, at, said["by_id"], told))
        self._announcer.wake("feedback", approval.id)
        return True

    def _answer(self, approval: Approval, said: dict[str, Any]) -> bool:
        """Of a result that needed no approval: it ends as answered, which approves nothing."""
        text = said["text"]
        given = GivenAnswer(choice=(said["answer"],), text=text)
        decision = Decision(
            vote="answer", approver=said["by_id"], name=said["name"], reason=text, answer=given.said()
        )
        by_id, version = said["by_id"], approval.version
        as_it_stands, verdict, _ = self._votes.opened(approval.id, version, by_id)

        def note(connection: Connection) -> bool:
            asked.note(connection, str(new_id()), approval, {**said, "at": changes.clock(connection)})
            return True

        ended = self._endings.end(
            as_it_stands, "answered", actor=said["by_id"], reason=text, decision=decision,
            judged=verdict, if_still=note,
        )  # fmt: skip
        return ended is not None


def ask_about(connection: Connection, approval: Approval, at: int) -> bool:
    """Ask about an outcome that was just reported, where its policy says so and there is anybody to ask; of a
    batch about few of them. Whoever calls it has locked the batch's row.
    """
    share, asks = approval.verdict.feedback, Feedback("", at, owner=owners.of(connection, approval.agent))
    shown = approval.card is not None or approval.batch_id is not None
    if not shown or not is_sampled(approval.id, share) or not asks.people(approval.decisions):
        return False
    if approval.batch_id is not None and asked.of_batch(connection, approval.batch_id) >= OF_BATCH:
        return False
    asked.ask(connection, str(new_id()), approval, at)
    return True
