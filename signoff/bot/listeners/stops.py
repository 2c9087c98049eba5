"""Stop… and Resume…, from a card's menu, Home and `/approvals`: parse, one call into `approvals`, reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.approvals.stop_errors import NothingStopped, SamePerson
from signoff.approvals.stopping import GLOB
from signoff.bot.cards.card import parse_token
from signoff.bot.cards.stops import stop_blocks
from signoff.bot.forms import stop_forms
from signoff.bot.forms.loading import again_with
from signoff.bot.forms.modals import message_view, refused_view
from signoff.bot.listeners import replies
from signoff.bot.listeners.actions import Ack
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.presses import value_of
from signoff.bot.listeners.replies import NotOpened, foreseen
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.words import replies as replies_words
from signoff.bot.text.words import stops as words
from signoff.errors import Invalid
from signoff.models.stops import Stop, StopScope


class Stops:
    """What a person can stop, and what another one resumes."""

    def __init__(self, approvals: Approvals, lists: Lists, opener: Opener) -> None:
        self._stopping = approvals.stopping
        self._approvals = approvals
        self._lists = lists
        self._opener = opener

    def ask(self, body: Body, token: str) -> None:
        """*Stop billing-bot…* in a card's menu."""

        def view(user: str) -> Block:
            approval = self._approvals.get(parse_token(token)[0])
            agent, action = StopScope("agent", approval.agent), StopScope("action", approval.action)
            return self._form(user, (agent, action, StopScope("all")))

        self._open(body, view)

    def begin(self, body: Body) -> None:
        """*Stop…* on Home: which agent, or everything."""
        self._open(body, lambda user: self._form(user, self._every(), named=False))

    def command(self, body: Body, asked: str) -> None:
        """`/approvals stop [agent|action glob|all]`: the form; what is not possible is told."""
        self._open(body, lambda user: self._form(user, self._named(asked), named=bool(asked)))

    def submit(self, ack: Ack, body: Body, view: Block) -> None:
        """Stop, in its form."""
        try:
            asked = stop_forms.read_stop(view["state"]["values"])
            stop = self._stopping.stop(
                asked.scope,
                by=body["user"]["id"],
                reason=asked.reason,
                undos=asked.undos,
                withdraw=asked.withdraw,
            )
            ack(response_action="update", view=self._stopped(stop))
        except Exception as error:
            ack(response_action="update", view=self._lost(error, view))

    def look_again(self, body: Body) -> None:
        """*Look again*: what is known by now of what was approved before."""
        user = body["user"]["id"]

        def view() -> Block:
            stop = self._standing(value_of(body))
            self._stopping.check(stop.scope, user)
            return self._stopped(stop)

        self._opener.replace(body, view, self._refusal)

    def ask_resume(self, body: Body, token: str) -> None:
        """*Resume…* in the menu of a card that is held."""

        def view(user: str) -> Block:
            approval = self._approvals.get(parse_token(token)[0])
            stop = self._stopping.holding(approval.agent, approval.action, undo=approval.undoes is not None)
            if stop is None:
                raise NothingStopped
            return self._resume_form(user, stop)

        self._open(body, view)

    def begin_resume(self, body: Body) -> None:
        """*Resume…* on Home, and in the answer to `/approvals resume`."""
        self._open(body, lambda user: self._resume_form(user, self._standing(value_of(body))))

    def submit_resume(self, ack: Ack, body: Body, view: Block) -> None:
        """Resume, in its form."""
        try:
            stop_id, staged = stop_forms.read_resume(view)
            stop = self._stopping.resume(stop_id, by=body["user"]["id"], staged=staged)
            ack(response_action="update", view=stop_forms.resumed_view(stop))
        except Exception as error:
            ack(response_action="update", view=self._lost(error, view))

    def listed(self, user: str) -> list[Block]:
        """`/approvals resume`: what is stopped. Raises MayNotStop for who may not resume any of it."""
        found, resumable = self._lists.stops(user)
        if not found:
            for stop in self._stopping.stops():
                self._stopping.check(stop.scope, user)
        return stop_blocks(found, resumable)

    def _open(self, body: Body, build: Any) -> None:
        self._opener.open(body, build, self._refusal, lambda error: self._opener.tell(body, explain(error)))

    def _form(self, user: str, scopes: Sequence[StopScope], *, named: bool = True) -> Block:
        """The form for as many of these as this person may stop; raises MayNotStop."""
        every = self._stopping.may(StopScope("all"), user)  # then they may stop any part of it, too
        may = [scope for scope in scopes if every or self._stopping.may(scope, user)]
        if not may:
            self._stopping.check(scopes[0], user)
            may = [scopes[0]]
        standing = [one for one in self._stopping.stops() if one.scope in may]
        return stop_forms.stop_view(may, standing, named=named)

    def _resume_form(self, user: str, stop: Stop) -> Block:
        """The form; raises MayNotStop, or says to who may not that they stopped it, and what is known."""
        try:
            self._stopping.check_resume(stop, user)
        except SamePerson:
            return message_view(words.STOPPED, Trusted(f"{words.SAME_PERSON}\n{self._known(stop)}"))
        return stop_forms.resume_view(stop)

    def _every(self) -> list[StopScope]:
        """All that there is to stop by name, and everything."""
        return [StopScope("all"), *(StopScope("agent", name) for name in self._lists.agents())]

    def _named(self, asked: str) -> list[StopScope]:
        """What somebody has written after `/approvals stop`; raises NoSuchScope."""
        if not asked:
            return self._every()
        if asked.lower() in ("all", "everything"):
            return [StopScope("all")]
        agent = StopScope("agent", asked.lower())
        if agent.name in self._lists.agents():
            return [agent, StopScope("all")]
        if not GLOB.fullmatch(asked):
            raise NoSuchScope(asked)
        return [StopScope("action", asked), StopScope("all")]

    def _standing(self, stop_id: str) -> Stop:
        """One that somebody can resume; raises NothingStopped."""
        found = next((one for one in self._stopping.stops() if one.id == stop_id), None)
        if found is None:
            raise NothingStopped
        return found

    def _stopped(self, stop: Stop) -> Block:
        """That it is, and what is known by now of what was approved before."""
        known = self._stopping.known(stop)
        told = words.known(known.void, known.unconfirmed, known.until, known.spent)
        return stop_forms.stopped_view(stop, told, more=known.unconfirmed > 0)

    def _known(self, stop: Stop) -> Trusted:
        known = self._stopping.known(stop)
        return words.known(known.void, known.unconfirmed, known.until, known.spent)

    def _lost(self, error: Exception, view: Block) -> Block:
        """What takes a form's place: why it came to nothing, or the form where it can be tried again."""
        return self._refusal(error) if foreseen(error) else again_with(explain(error), view)

    def _refusal(self, error: Exception) -> Block:
        if isinstance(error, Invalid):
            return refused_view(error.detail)
        return message_view(replies_words.NOT_POSSIBLE, explain(error))


class NoSuchScope(UnknownApproval):
    """Nothing that can be stopped is called so."""

    def __init__(self, asked: str) -> None:
        super().__init__()
        self.asked = asked


def explain(error: Exception) -> Trusted:
    """Why nothing was stopped, resumed or shown. Logs what was not foreseen."""
    if isinstance(error, NotOpened):
        return error.sentence
    if isinstance(error, NoSuchScope):
        return words.no_such(error.asked)
    return replies.explain(error, lambda: (None, 0))
