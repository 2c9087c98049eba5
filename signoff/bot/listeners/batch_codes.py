"""One code for several requests that are approved at once: it begins a session, by which each is approved."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from signoff.approvals.batches import Batches
from signoff.approvals.errors import UnknownApproval
from signoff.approvals.factor_errors import Unproven
from signoff.approvals.factors import Factors
from signoff.bot.cards.batch_card import parse_shown
from signoff.bot.forms.loading import again_with
from signoff.bot.forms.proof_form import code_block, errors_of, read_code, unproven
from signoff.bot.listeners.actions import Ack
from signoff.bot.listeners.batch_looks import Looks
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.presses import external_id, number_of
from signoff.bot.listeners.replies import NotOpened, foreseen
from signoff.bot.slack.errors import SlackError
from signoff.bot.slack.views import Views
from signoff.bot.text.text import Block
from signoff.bot.text.words import factors as words
from signoff.bot.together import views as forms
from signoff.bot.together.review import Looked, batch_modal, read_kept
from signoff.models.batches import Decided

log = logging.getLogger("signoff.bot")

SHOWN = "shown"
"""In place of a review's id: it is about what a card has shown."""


class Codes:
    """The form that asks for a code, and what follows it.

    `decided` acts and gives the view of what became of it, `refusal` the view of why it came to nothing.
    """

    def __init__(
        self,
        factors: Factors,
        batches: Batches,
        looks: Looks,
        opener: Opener,
        views: Views,
        decided: Callable[..., Block],
        refusal: Callable[[Exception], Block],
    ) -> None:
        self._factors = factors
        self._batches = batches
        self._looks = looks
        self._opener = opener
        self._views = views
        self._decided = decided
        self._refusal = refusal

    def ask(self, body: Body, about: dict[str, Any]) -> None:
        """Open it; `about` says what is approved once the code is right."""
        self._opener.open(body, lambda _: code_view(about), self._refusal)

    def ack(self, ack: Ack, body: Body, view: Block) -> None:
        """The code is used, or an error stands at its field."""
        user = body["user"]["id"]
        try:
            looked, of = self._about(view, user)
            if any_code(self._factors, looked, user):
                self._factors.begin_session(user, read_code(view))
            ack(response_action="update", view=forms.deciding_view(len(of), external_id(view)))
        except Unproven as error:
            if at := errors_of(error, view):
                ack(response_action="errors", errors=at)
            else:
                ack(response_action="update", view=again_with(unproven(error), view))
        except Exception as error:
            ack(response_action="update", view=self._lost(error, view))

    def approve(self, body: Body, view: Block) -> None:
        """The same, after its acknowledgement: what waits is approved, unless the code was none."""
        user = body["user"]["id"]
        try:
            looked, of = self._about(view, user)
            if any_code(self._factors, looked, user):
                return
            kept = read_kept(view)

            def act() -> Decided:
                if kept["review"] == SHOWN:
                    return self._batches.approve(user, parse_shown(str(kept.get("shown"))))
                self._batches.saw(kept["review"], user, number_of(kept.get("seen", 0)))
                return self._batches.decide(
                    kept["review"], user, "approve", of=of, digest=str(kept.get("digest", ""))
                )

            shown = self._decided(user, "approve", of, act, lambda: self._looks.at(user, looked.review.id))
        except Exception as error:
            shown = self._lost(error, view)
        try:
            self._views.fill(external_id(view), str(view.get("id") or ""), shown)
        except SlackError as error:
            log.warning("a result is not shown: %s", error)

    def _about(self, view: Block, user: str) -> tuple[Looked, list[str]]:
        """What the form is about, and which of it waits."""
        kept = read_kept(view)
        if kept["review"] == SHOWN:
            looked = self._looks.shown(user, parse_shown(str(kept.get("shown"))))
            seen = len(looked.asked)
        else:
            looked = self._looks.at(user, kept["review"], digest=str(kept.get("digest", "")))
            seen = number_of(kept.get("seen", 0))
        of = [one.id for at, one in enumerate(looked.asked[:seen]) if looked.waits(at)]
        if not of:
            raise UnknownApproval
        return looked, of

    def _lost(self, error: Exception, view: Block) -> Block:
        return self._refusal(error) if foreseen(error) else again_with(NotOpened(error).sentence, view)


def code_view(about: dict[str, Any]) -> Block:
    """The form."""
    blocks = [code_block(hint=words.SESSION_HINT)]
    return batch_modal("batch_code", words.BATCH_TITLE, blocks, words.BATCH_SUBMIT, **about)


def any_code(factors: Factors, looked: Looked, user: str, seen: int | None = None) -> bool:
    """Whether one of the first `seen` (None: of all) that wait wants a code of this person now.

    Raises Unproven where one does that they cannot give.
    """
    found = {
        (one.verdict.second_factor, one.verdict.in_session): one.verdict
        for at, one in enumerate(looked.asked[:seen])
        if looked.waits(at) and one.verdict.second_factor is not None
    }
    needs = [factors.needs(verdict, user) for verdict in found.values()]
    for one in needs:
        if one.lacking is not None:
            raise one.lacking
    return any(one.code for one in needs)
