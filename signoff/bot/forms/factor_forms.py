"""The forms in which somebody enrols a second factor: a code that lets them, then the secret; pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from signoff.approvals.enrolment import Enrolment
from signoff.approvals.errors import UnknownApproval
from signoff.bot.forms.proof_form import code_block
from signoff.bot.text.text import Block, line, literal, rich
from signoff.bot.text.views import modal, paragraph, says
from signoff.bot.text.words import factors as words
from signoff.bot.text.words import forms as forms_words
from signoff.models.factors import Factor


def factors_view(found: Sequence[Factor], at: int, invited: bool) -> Block:
    """What somebody has, and a field for what lets them enrol another one: a one-time code where `invited`
    is True, as they have none that counts, else a code of one that they have.
    """
    lines = [
        says(words.yours(one.name, one.counts_from or 0, one.counts(at), one.in_force), f"factor:{one.id}")
        for one in found[:20]
    ] or [paragraph(words.NONE_YET, "none")]
    asked = code_block(words.FIRST_LABEL, words.FIRST_HINT) if invited else code_block(words.OLD_LABEL)
    return modal("factor", words.TITLE, [*lines, asked], None, words.NEXT, forms_words.CANCEL)


def secret_view(enrolment: Enrolment) -> Block:
    """The secret, to be typed into an app, and as a link; and a field for the first code."""
    parts = [enrolment.secret[start : start + 4] for start in range(0, len(enrolment.secret), 4)]
    code: Block = {"type": "rich_text_preformatted", "elements": [literal(" ".join(parts))]}
    link: Block = {"type": "rich_text_preformatted", "elements": [literal(enrolment.link)]}
    blocks = [
        rich("secret", line(literal(words.WHERE)), code, link),
        code_block(words.NEW_LABEL),
    ]
    view = modal("factor_new", words.TITLE, blocks, None, words.DONE, forms_words.CANCEL)
    return view | {"private_metadata": json.dumps({"factor": enrolment.id})}


def read_factor(view: Block) -> str:
    """Which factor the second form is about; raises UnknownApproval for what is none of ours."""
    try:
        found = json.loads(view.get("private_metadata") or "")["factor"]
    except (ValueError, KeyError, TypeError):
        raise UnknownApproval from None
    if not isinstance(found, str):
        raise UnknownApproval
    return found
