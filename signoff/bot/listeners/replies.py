"""What a person is told when a click came to nothing: one place for every fault."""

from __future__ import annotations

import logging
from collections.abc import Callable

from signoff.approvals.errors import (
    AlreadyDecided,
    AlreadyUndone,
    BlockedNow,
    EditedMeanwhile,
    Excluded,
    FeedbackGiven,
    FeedbackOver,
    GroupsUnread,
    HasNotVoted,
    HasVoted,
    InGrace,
    NobodyLeft,
    NotAllowed,
    NotAsked,
    NotHeld,
    NotNeeded,
    NotRecorded,
    NotUndone,
    OtherKind,
    Restored,
    ShownOther,
    Tampered,
    TimeRanOut,
    TooManyNotes,
    TooManyQuestions,
    UndoBlocked,
    UnknownApproval,
    VotedInPlace,
)
from signoff.approvals.factor_errors import Unproven
from signoff.approvals.stop_errors import Held, MayNotStop, NothingStopped, SamePerson, TooManyStops
from signoff.bot.forms.proof_form import unproven
from signoff.bot.slack.errors import SlackError, SlackRefused, SlackUnavailable
from signoff.bot.text.text import Trusted, escape, visible
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import batches as batches_words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as feedback_words
from signoff.bot.text.words import opening
from signoff.bot.text.words import questions as questions_words
from signoff.bot.text.words import replies as replies_words
from signoff.bot.text.words import seats as seats_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.text.words import talks as talk_words
from signoff.bot.text.words import times as times_words
from signoff.bot.text.words import undo as undo_words
from signoff.errors import SignoffError
from signoff.models.approval import Approval
from signoff.models.feedback import KIND as FEEDBACK
from signoff.models.questions import QUESTION

log = logging.getLogger("signoff.bot")

TOO_LATE = frozenset(
    {
        "expired_trigger_id",
        "exchanged_trigger_id",
        "trigger_expired",
        "trigger_exchanged",
        "invalid_trigger_id",
    }
)
"""Slack's words for a click that is older than its 3 s. Its pages do not agree on them."""


class NotOpened(Exception):
    """A view could not be shown: because of Slack, or of something that is away. Nothing was decided."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        # Its text may repeat what somebody typed or sent; Slack's code is a word of Slack's.
        code = cause.code if isinstance(cause, SlackRefused) else ""
        log.log(
            logging.INFO if code in TOO_LATE else logging.ERROR,
            "not opened: %s",
            f"{type(cause).__name__} {code}".strip(),
        )
        if code:
            self.sentence = opening.TOO_LATE if code in TOO_LATE else opening.slack_refuses(code)
        else:
            away = isinstance(cause, SlackUnavailable)
            self.sentence = opening.SLACK_AWAY if away else opening.NOT_OPENED

    @classmethod
    def of(cls, error: Exception) -> Exception:
        """What tells somebody why a view was not shown: the error itself where it says why."""
        return error if foreseen(error) else cls(error)


def foreseen(error: Exception) -> bool:
    """Whether it says why somebody may not see or do that, rather than that something is away or broken."""
    return isinstance(error, SignoffError) and not isinstance(error, SlackError)


def sentence(error: Exception, approval: Approval | None, now: int) -> Trusted:
    """An exception → what to say, as mrkdwn of our own words. `now` is the database's clock."""
    if isinstance(error, AlreadyDecided):
        if approval is not None and _ran_unheld(error, approval):
            return _about(undo_words.ran_unheld(error.at), approval)
        return _about(replies_words.late_click(error.status, error.by_id, error.at, now), approval)
    if isinstance(error, TimeRanOut):
        return _about(replies_words.time_ran_out(error.at), approval)
    if isinstance(error, EditedMeanwhile):
        return replies_words.edited_meanwhile()
    if isinstance(error, GroupsUnread):
        return replies_words.groups_unread(error.groups, error.why)
    if isinstance(error, FeedbackGiven):
        return _about(feedback_words.late(error.answer, error.by_id, error.at), approval)
    if isinstance(error, FeedbackOver):
        return feedback_words.OVER
    if isinstance(error, NotAsked):
        return feedback_words.not_asked(card_words.audience(error.approvers))
    if isinstance(error, NotRecorded) and (told := _of_stops(error)) is not None:
        return told
    if isinstance(error, NotAllowed):
        if approval is None or "workspace" in error.detail:
            return replies_words.NOT_A_MEMBER
        if isinstance(error, NobodyLeft):
            return replies_words.NOBODY_LEFT
        if isinstance(error, Excluded):
            return seats_words.excluded(error.why)
        if error.approvers and (said := _not_asked(approval, card_words.audience(error.approvers))):
            return said
        changed = set(error.approvers) != set(approval.verdict.approvers)
        return replies_words.not_an_approver(error.approvers, changed)
    if isinstance(error, VotedInPlace):
        return times_words.voted_in_place(error.by_id, error.deputy_for)
    if isinstance(error, HasVoted):
        return seats_words.HAS_REJECTED if error.vote == "reject" else seats_words.HAS_APPROVED
    if isinstance(error, HasNotVoted):
        return seats_words.HAS_NOT_VOTED
    if isinstance(error, NotNeeded):
        return seats_words.not_needed(error.seats)
    if isinstance(error, OtherKind):
        is_question = approval is not None and approval.request.kind == QUESTION
        return questions_words.ANSWERS_ONLY if is_question else questions_words.NOT_A_QUESTION
    if isinstance(error, UndoBlocked):
        return undo_words.UNDO_BLOCKED
    if isinstance(error, AlreadyUndone):
        return undo_words.undone_already(error.by_id, error.at, error.is_done)
    if isinstance(error, NotUndone):
        return undo_words.refused(error.why, escape(visible(error.detail)), error.at)
    if isinstance(error, InGrace):
        return undo_words.IN_GRACE
    if isinstance(error, NotHeld):
        return _about(undo_words.held_already(error.by_id), approval)
    if isinstance(error, BlockedNow):
        return replies_words.BLOCKED_EDIT if error.edited else replies_words.BLOCKED_NOW
    if isinstance(error, Restored):
        return replies_words.RESTORED
    if isinstance(error, ShownOther):
        return batches_words.CHANGED_MEANWHILE
    if isinstance(error, Unproven):
        return unproven(error)
    if isinstance(error, Tampered):
        return replies_words.TAMPERED
    if isinstance(error, TooManyQuestions):
        return talk_words.too_many(error.agent, error.waiting)
    if isinstance(error, TooManyNotes):
        return talk_words.TOO_MANY_NOTES
    if isinstance(error, UnknownApproval):
        return replies_words.UNKNOWN
    return replies_words.NOT_RECORDED


def _of_stops(error: NotRecorded) -> Trusted | None:
    """Why somebody did not stop or resume, or does not decide what is stopped."""
    if isinstance(error, MayNotStop):
        return stop_words.may_not(error.approvers) if error.approvers else stop_words.NOT_A_MEMBER
    if isinstance(error, SamePerson):
        return stop_words.SAME_PERSON
    if isinstance(error, NothingStopped):
        return stop_words.NOTHING_STOPPED
    if isinstance(error, TooManyStops):
        return stop_words.TOO_MANY
    return stop_words.held(error.stop) if isinstance(error, Held) else None


def _ran_unheld(error: AlreadyDecided, approval: Approval) -> bool:
    """Whether the policy has let it run after a while, and nobody was asked or has decided."""
    return error.status == "approved" and not error.by_id and approval.verdict.in_grace


def _not_asked(approval: Approval, people: Trusted) -> Trusted | None:
    """To who may not do what this kind of request is there for; None where that is to decide."""
    if approval.request.kind == QUESTION:
        return questions_words.not_asked(people)
    if approval.request.kind == FEEDBACK:
        return feedback_words.not_asked(people)
    if approval.verdict.in_grace and approval.pending:
        return undo_words.not_holder(people)
    if approval.verdict.undo is not None and approval.status == "approved":
        return undo_words.not_undoer(people)
    return None


def _about(text: Trusted, approval: Approval | None) -> Trusted:
    """With what it is about: who is told so may decide it, and may have clicked in a list."""
    if approval is None:
        return text
    return replies_words.about(text, trusted_title(Which.of(approval)), approval.code)


def explain(error: Exception, look_up: Callable[[], tuple[Approval | None, int]]) -> Trusted:
    """`sentence`, looking the approval up; works with the database away. Logs what was not foreseen."""
    if isinstance(error, NotOpened):
        return error.sentence
    if not isinstance(error, NotRecorded):
        # Its text may repeat what somebody typed or sent: only its type is logged.
        log.error("not recorded: %s", type(error).__name__)
        return replies_words.NOT_RECORDED
    try:
        approval, now = look_up()
    except Exception as away:
        log.error("not looked up: %s", type(away).__name__)
        approval, now = None, 0
    return sentence(error, approval, now)
