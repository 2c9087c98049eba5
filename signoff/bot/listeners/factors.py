"""`/approvals factor`: enrolling a second factor, and inviting somebody to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from signoff.approvals.factor_errors import NotInvited, Unproven
from signoff.approvals.service import Approvals
from signoff.bot.forms.factor_forms import factors_view, read_factor, secret_view
from signoff.bot.forms.loading import again_with
from signoff.bot.forms.modals import message_view
from signoff.bot.forms.proof_form import CODE, errors_of, read_code, unproven
from signoff.bot.listeners.actions import Ack
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.replies import NotOpened, foreseen
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.words import factors as words

_WHOM = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>|([UW][A-Z0-9]{2,20})")


class Enrolling:
    """The forms, and the command's word `factor`."""

    def __init__(
        self,
        approvals: Approvals,
        opener: Opener,
        refusal: Callable[[Exception, str], Block],
        admins: Collection[str],
    ) -> None:
        self._approvals = approvals
        self._opener = opener
        self._refusal = refusal
        self._admins = admins

    def open(self, command: Body) -> None:
        """What somebody has, and how they enrol another one; after the command was acknowledged."""
        body = {"user": {"id": command["user_id"]}, **command}

        def view(user: str) -> Block:
            self._approvals.judge.member(user)
            enrolments = self._approvals.enrolments
            return factors_view(
                enrolments.of(user), self._approvals.store.clock(), enrolments.needs_invitation(user)
            )

        self._opener.open(body, view, lambda error: self._refusal(error, ""))

    def submit(self, ack: Ack, body: Body, view: Block) -> None:
        """The code that lets them: then the secret, in the same place."""
        user = body["user"]["id"]
        try:
            self._approvals.judge.member(user)
            begun = self._approvals.enrolments.begin(user, read_code(view))
            ack(response_action="update", view=secret_view(begun))
        except Exception as error:
            ack(**self._again(error, view))

    def finish(self, ack: Ack, body: Body, view: Block) -> None:
        """The first code: then it is enrolled."""
        user = body["user"]["id"]
        try:
            self._approvals.judge.member(user)
            done = self._approvals.enrolments.finish(user, read_factor(view), read_code(view))
            told = message_view(words.TITLE, words.enrolled(done.counts_from or 0))
            ack(response_action="update", view=told)
        except NotInvited:
            ack(response_action="errors", errors={CODE: words.NOT_TAKEN})
        except Exception as error:
            ack(**self._again(error, view))

    def invite(self, user: str, whom: str) -> Trusted:
        """What an admin is told who invites somebody; nobody invites themselves, since their own account may
        be whose is stolen.
        """
        self._approvals.judge.member(user)
        found = _WHOM.fullmatch(whom.strip())
        if found is None:
            return words.INVITE_WHOM
        invited = found[1] or found[2]
        if user not in self._admins or user == invited:
            return words.ADMINS_ALONE
        self._approvals.judge.member(invited)
        return words.invited(invited, self._approvals.enrolments.invite(invited, user))

    def _again(self, error: Exception, view: Block) -> Body:
        if isinstance(error, Unproven):
            if at := errors_of(error, view):
                return {"response_action": "errors", "errors": at}
            return {"response_action": "update", "view": again_with(unproven(error), view)}
        if foreseen(error):
            return {"response_action": "update", "view": self._refusal(error, "")}
        return {"response_action": "update", "view": again_with(NotOpened(error).sentence, view)}
