"""What an agent shows of what came out: its own words, always under their own heading; pure."""

from __future__ import annotations

from typing import Any

from signoff.bot.text.fold import fold
from signoff.bot.text.payload import rows, values
from signoff.bot.text.text import Block, line, literal, plain, rich
from signoff.bot.text.views import row_blocks
from signoff.bot.text.words import feedback as words
from signoff.models.approval import Approval

CHARACTERS, LINES = 500, 6
"""Of a result on a card that is decided: what is left out is counted where it stood."""


def as_payload(result: Any) -> dict[str, Any]:
    """A result as fields: those of an object, else one that is called so."""
    return result if isinstance(result, dict) and result else {"result": result}


def result_blocks(
    approval: Approval, result: Any, heading: str = words.GAVE, room: int = CHARACTERS
) -> list[Block]:
    """A result as rows under its heading, cut to so many characters."""
    name = approval.revision
    folded = fold(values(None, as_payload(result)), room, LINES)
    found = [rich(f"gave:{name}", line(literal(heading, "bold"))), *row_blocks(folded.rows, f"gave-{name}")]
    if not folded.whole:
        cut: Block = {
            "type": "context",
            "block_id": f"cut:{name}",
            "elements": [plain(words.cut(approval.code))],
        }
        found.append(cut)
    return found


def outcome_blocks(approval: Approval, room: int = CHARACTERS) -> list[Block]:
    """What a reported outcome gave; nothing where its agent shows nothing."""
    if approval.outcome is None or approval.outcome.result is None:
        return []
    return result_blocks(approval, approval.outcome.result, room=min(room, CHARACTERS))


def whole_result(result: Any) -> list[Block]:
    """All of it, for Details…."""
    shown = row_blocks(rows(None, as_payload(result), whole=True), "gave")
    return [rich("gave", line(literal(words.GAVE, "bold"))), *shown]
