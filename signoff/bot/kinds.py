"""The kinds of requests: what each is shown as, and the forms that decide on it. A new kind is a row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signoff.bot.cards.card import Message, card
from signoff.bot.cards.feedback_card import feedback_card
from signoff.bot.cards.question_card import question_card
from signoff.bot.forms.answer_form import answer_view, ask_about_view, hand_view, none_view
from signoff.bot.forms.edit_form import EditForm
from signoff.bot.forms.hand_form import hand_on_view
from signoff.bot.forms.modals import note_view, reject_view
from signoff.bot.forms.review import review_view
from signoff.bot.forms.talk_forms import ask_view
from signoff.bot.text.text import Block
from signoff.models.approval import Approval
from signoff.models.feedback import KIND as FEEDBACK
from signoff.models.identity import new_id
from signoff.models.questions import QUESTION


@dataclass(frozen=True)
class Kind:
    """`card` takes what `cards.card` does; `forms` are by the button or the menu's choice that opens them.

    `whole` names the form that shows all of a request, and in which it is decided.
    """

    card: Callable[..., Message]
    forms: Mapping[str, Callable[[Approval], Block]]
    whole: str = "review"


KINDS: Mapping[str, Kind] = {
    "approval": Kind(
        card=card,
        forms={
            "reject": reject_view,
            "edit": lambda approval: EditForm(approval, draft_id=str(new_id())).view(),
            "review": review_view,
            "note": note_view,
            "ask": ask_view,
            "hand": hand_on_view,
        },
    ),
    QUESTION: Kind(
        card=question_card,
        forms={"answer": answer_view, "none": none_view, "hand": hand_view, "ask": ask_about_view},
        whole="answer",
    ),
    FEEDBACK: Kind(card=feedback_card, forms={}),
}
"""By `kind` of the request."""


def kind_of(approval: Approval) -> Kind:
    """The row for an approval's kind."""
    return KINDS[approval.request.kind]
