"""People answer questions. An answer lets nothing run."""

from __future__ import annotations

from dataclasses import replace

from signoff.approvals.decide import Votes
from signoff.approvals.endings import Endings
from signoff.approvals.errors import AlreadyDecided, OtherKind
from signoff.models import crash
from signoff.models.approval import Approval
from signoff.models.messages import Decision
from signoff.models.questions import QUESTION, GivenAnswer, Question


class Questions:
    """Takes people's answers. What an `Approvals` raises of its database passes here, too."""

    def __init__(self, votes: Votes, endings: Endings) -> None:
        self._votes = votes
        self._endings = endings

    def answer(
        self,
        approval_id: str,
        version: int,
        user_id: str,
        answer: GivenAnswer,
        *,
        permalink: str | None = None,
    ) -> Approval:
        """A person's answer to the `version` of a question that they saw; `permalink` is where.

        Raises what `Approvals.open_for` does, OtherKind (it is no question) or Invalid (it does not answer
        this one, or holds what looks like a secret): then nothing has changed.
        """
        approval, verdict, person = self._votes.opened(approval_id, version, user_id)
        given = answer.check(_question(approval))
        crash.here("decide.checked")
        decision = Decision(
            vote="answer",
            approver=person.id,
            name=person.name,
            answer=given.said(),
            deputy_for=person.deputy_for or None,
        )
        if permalink and approval.card and approval.card.permalink is None:
            approval = replace(approval, card=replace(approval.card, permalink=permalink))
        ended = self._endings.end(approval, "answered", actor=person.id, decision=decision, judged=verdict)
        if ended is None:  # somebody was faster, or the time ran out: it says which
            self._votes.opened(approval_id, version, user_id)
            raise AlreadyDecided(None)
        return ended


def _question(approval: Approval) -> Question:
    """What is asked; raises OtherKind where it is no question."""
    if approval.request.kind != QUESTION:
        raise OtherKind("It is no question: it is approved or rejected, and not answered.")
    return Question.of(approval.payload)
