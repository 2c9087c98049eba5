"""The small card of an action that the policy let through and has reported; pure."""

from __future__ import annotations

from signoff.bot.cards.feedback_parts import feedback_blocks, feedback_line
from signoff.bot.cards.menu import beside, menu_after
from signoff.bot.cards.undo_blocks import undo_blocks, undone_blocks
from signoff.bot.text.fold import fold
from signoff.bot.text.payload import values
from signoff.bot.text.prose import one_line
from signoff.bot.text.quotes import isolated
from signoff.bot.text.results import outcome_blocks
from signoff.bot.text.spoken import unlinked
from signoff.bot.text.states import outcome_line
from signoff.bot.text.text import Block, Trusted, cut, mrkdwn, plain, visible
from signoff.bot.text.undone import undone_line
from signoff.bot.text.views import row_blocks
from signoff.bot.text.views import title as header
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import notifications as notices
from signoff.models.approval import Approval

CHARACTERS, LINES = 300, 4
"""Of the payload; Details… has all of it."""
READ_AS = 300
"""Characters of what the agent took its task to mean."""
NOTE = 200
"""Characters of what the agent reports."""


def report_blocks(approval: Approval, now: int | None = None) -> list[Block]:
    """What ran, whose it was, and what became of it."""
    revision, verdict = approval.revision, approval.verdict
    headline = visible(verdict.headline or "")
    title = header(headline or approval.action)
    about = [plain(approval.action)] if headline else []
    at = approval.ended_at or approval.created_at
    about.append(mrkdwn(card_words.let_through(approval.agent, at, approval.code)))
    found: list[Block] = [
        {"type": "section", "block_id": f"report:{revision}", "text": title},
        {"type": "context", "block_id": f"about:{revision}", "elements": about},
        *undone_blocks(approval, now),
    ]
    folded = fold(values(approval.request.json_schema, approval.payload), CHARACTERS, LINES)
    found += row_blocks(folded.rows, f"payload:{revision}")
    if approval.request.interpretation.strip():
        read_as = plain(isolated(cut(one_line(approval.request.interpretation), READ_AS)))
        elements = [mrkdwn(card_words.READ_AS), read_as]
        found.append({"type": "context", "block_id": f"read_as:{revision}", "elements": elements})
    outcome = outcome_line(approval, now)
    after = [mrkdwn(outcome)] if outcome is not None else []
    if approval.outcome and approval.outcome.note.strip():
        after.append(plain(isolated(cut(one_line(approval.outcome.note), NOTE))))
    if after:
        found.append({"type": "context", "block_id": f"after:{revision}", "elements": after})
    found += outcome_blocks(approval, CHARACTERS)
    found += [*feedback_blocks(approval, NOTE, now), *undo_blocks(approval, now)]
    return beside(found, menu_after(approval))


def report_text(approval: Approval, now: int | None = None) -> Trusted:
    """The notification."""
    what = unlinked(trusted_title(Which.of(approval)))
    outcome, right = undone_line(approval, now) or outcome_line(approval, now), feedback_line(approval, now)
    told = notices.reported(approval.agent, what, outcome)
    return told if right is None else Trusted(f"{told}\n{right.replace('*', '')}")
