"""The inputs by which whoever approves proves that it was them, under every form that approves; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.approvals.factor_errors import (
    CodeUsed,
    FactorLocked,
    FactorUnread,
    NoFactor,
    NotInvited,
    ProofAsked,
    Unproven,
    WrongCode,
    WrongTyped,
)
from signoff.approvals.factors import Needs, Proof
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.views import asks, element, says, state_of
from signoff.bot.text.words import factors as words

CODE, CONFIRM = "code", "confirm:"
APPROVING = frozenset(("review", "note", "difference"))
"""Forms whose submit approves, but for a page of a review that is not the last."""
_TYPED = 1000


def with_proof(view: Block, needs: Needs, last: bool = True) -> Block:
    """A form with what this person is asked for beside; one that does not approve as it is.

    `last` is False for a page whose submit leads to the next one.
    """
    if view.get("callback_id") not in APPROVING or "submit" not in view or not last:
        return view
    kept = [block for block in view["blocks"] if not _is_ours(str(block.get("block_id", "")))]
    return view | {"blocks": [*kept, *proof_blocks(needs)]}


def proof_blocks(needs: Needs) -> list[Block]:
    """An input for the code, and one for each value; or why this person cannot approve."""
    if needs.lacking is not None:
        return [says(unproven(needs.lacking), "proof")]
    found = [code_block()] if needs.code else []
    for name in needs.confirm:
        by = element("plain_text_input", max_length=_TYPED)
        found.append(asks(f"{CONFIRM}{name}", words.typed_label(name), by, words.TYPED_HINT))
    return found


def code_block(label: str = words.CODE_LABEL, hint: str = words.CODE_HINT) -> Block:
    """The input for a code."""
    return asks(CODE, label, element("plain_text_input", max_length=40), hint)


def read_proof(view: Block) -> Proof | None:
    """What was entered; None where nothing was asked for."""
    values: Mapping[str, Any] = view.get("state", {}).get("values", {})
    names = [name for name in values if _is_ours(name)]
    if not names:
        return None
    typed = {name.removeprefix(CONFIRM): _text(values, name) for name in names if name != CODE}
    return Proof(_text(values, CODE), typed)


def read_code(view: Block) -> str:
    """The code alone."""
    return _text(view.get("state", {}).get("values", {}), CODE)


def errors_of(error: Unproven, view: Block) -> dict[str, str]:
    """What is told at a field of this view; nothing where it has no such field."""
    said: dict[str, str] = {}
    if isinstance(error, WrongTyped):
        typed = _text(view.get("state", {}).get("values", {}), f"{CONFIRM}{error.field}")
        said = {f"{CONFIRM}{error.field}": words.TYPED_WRONG if typed else words.TYPED_MISSING}
    elif isinstance(error, WrongCode):
        said = {CODE: words.wrong_code(error.left)}
    elif isinstance(error, CodeUsed):
        said = {CODE: words.CODE_USED}
    elif isinstance(error, FactorLocked):
        said = {CODE: words.LOCKED}
    elif isinstance(error, FactorUnread):
        said = {CODE: words.UNREAD}
    elif isinstance(error, NotInvited):
        said = {CODE: words.NOT_INVITED}
    elif isinstance(error, ProofAsked):
        said = {CODE: words.CODE_MISSING}
    there = {str(block.get("block_id")) for block in view.get("blocks", ())}
    return {name: text for name, text in said.items() if name in there}


def unproven(error: Unproven) -> Trusted:
    """The same where no field is at hand."""
    if isinstance(error, NoFactor):
        return words.no_factor(error.from_, error.restored)
    if isinstance(error, FactorLocked):
        return words.locked(error.until)
    if isinstance(error, FactorUnread):
        return Trusted(words.UNREAD)
    if isinstance(error, CodeUsed):
        return Trusted(words.CODE_USED)
    if isinstance(error, NotInvited):
        return Trusted(words.NOT_INVITED)
    return words.ASKED


def _is_ours(block_id: str) -> bool:
    return block_id in (CODE, "proof") or block_id.startswith(CONFIRM)


def _text(values: Mapping[str, Any], block_id: str) -> str:
    value = state_of(values, block_id).get("value")
    return value if isinstance(value, str) else ""
