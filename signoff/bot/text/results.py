"""What an agent shows of what came out: its own words, always under their own heading; pure."""

from __future__ import annotations

from typing import Any

from signoff.bot.text.fold import Folded, fold
from signoff.bot.text.payload import rows, values
from signoff.bot.text.poses import any_poses
from signoff.bot.text.text import Block, line, literal, plain, rich
from signoff.bot.text.views import row_blocks
from signoff.bot.text.words import feedback as words
from signoff.bot.text.words import questions as question_words
from signoff.models.approval import Approval

CHARACTERS, LINES = 500, 6
"""Of a result on a card that is decided: what is left out is counted where it stood."""


def as_payload(result: Any) -> dict[str, Any]:
    """A result as fields: those of an object, else one that is called so."""
    return result if isinstance(result, dict) and result else {"result": result}


def folded_result(result: Any, room: int = CHARACTERS) -> Folded:
    """As much of a result as so many characters hold."""
    return fold(values(None, as_payload(result)), room, LINES)


def folded_blocks(revision: int, folded: Folded, heading: str = words.GAVE) -> list[Block]:
    """A result as rows under its heading, and a note where that is not all of it."""
    head = rich(f"gave:{revision}", line(literal(heading, "bold")))
    found = [head, *row_blocks(folded.rows, f"gave-{revision}")]
    if not folded.whole:
        found.append({"type": "context", "block_id": f"cut:{revision}", "elements": [plain(words.CUT)]})
    return found


def outcome_folded(approval: Approval, room: int = CHARACTERS) -> Folded | None:
    """What a card shows of what a reported outcome gave; None where its agent shows nothing."""
    if approval.outcome is None or approval.outcome.result is None:
        return None
    return folded_result(approval.outcome.result, min(room, CHARACTERS))


def outcome_blocks(approval: Approval, room: int = CHARACTERS) -> list[Block]:
    """The same as blocks, and a warning of what in it reads as ours."""
    folded = outcome_folded(approval, room)
    if folded is None or approval.outcome is None:
        return []
    found = folded_blocks(approval.revision, folded)
    if any_poses(approval.outcome.result):
        warned = plain(question_words.looks_ours(["result"]))
        found.append({"type": "context", "block_id": f"posed:{approval.revision}", "elements": [warned]})
    return found


def whole_result(result: Any) -> list[Block]:
    """All of it, for Details…."""
    shown = row_blocks(rows(None, as_payload(result), whole=True), "gave")
    return [rich("gave", line(literal(words.GAVE, "bold"))), *shown]
