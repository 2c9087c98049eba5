"""What the agent says beside action and payload: claims, always under their own heading; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from signoff.bot.text.conversation import without
from signoff.bot.text.payload import rows
from signoff.bot.text.prose import prose
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, length, line, literal, pieces
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest


@dataclass(frozen=True)
class Claim:
    """One claim: our label (empty for title and reason) and the agent's text, visible."""

    label: str
    text: str


def claims(request: ApprovalRequest) -> Iterator[Claim]:
    """All that an agent says in words, as the card has it: title and reason first, its context last."""
    for text in (request.title, request.reason):
        if text.strip():
            yield Claim("", prose(text))
    for name in ("interpretation", "requested_by", "impact", "undo"):
        text = getattr(request, name)
        if text.strip():
            yield Claim(card_words.CLAIM_LABELS[name], prose(text))
    for text in request.alternatives:
        if text.strip():
            yield Claim(card_words.CLAIM_LABELS["alternatives"], prose(text))
    said: list[str] = []
    for row in rows(None, without(request.context)):
        if row.path and said:
            yield Claim(card_words.CLAIM_LABELS["context"], "".join(said))
            said = []
        name, text = " › ".join(map(isolated, row.path)), isolated(row.text)
        said.append(f"{name}  {text}" if name else f", {text}" if said else text)
    if said:
        yield Claim(card_words.CLAIM_LABELS["context"], "".join(said))


def answers(approval: Approval) -> bool:
    """Whether it has answered people: the card has that below, and says whose words they are in any case."""
    return any(talk.answer and talk.answer.strip() for talk in approval.talks)


def said(approval: Approval, characters: int, lines: int) -> list[Block]:
    """Claims → elements of a rich_text block, within so many characters and lines.

    What does not fit is said to stand in Details; and so is that no reason was given.
    """
    request = approval.request
    spans: list[Block] = []
    cut_short = False
    for claim in claims(request):
        label = f"{claim.label}: " if claim.label else ""
        if characters < length(label) + 20 or lines < 1:
            cut_short = True
            break
        shown = "\n".join(claim.text.split("\n")[:lines])
        shown = next(pieces(shown, characters - length(label)), "")
        cut_short = cut_short or shown != claim.text
        spans += [literal("\n")] if spans else []
        spans += [literal(label, "bold")] if label else []
        spans.append(literal(isolated(shown) + (" …" if shown != claim.text else "")))
        characters -= length(label) + length(shown)
        lines -= 1 + shown.count("\n") + length(shown) // 100
    found = [line(literal(card_words.AGENT_SAYS, "bold"))] if spans or answers(approval) else []
    found += [{"type": "rich_text_quote", "elements": spans}] if spans else []
    found += [line(literal(card_words.more_claims(), "italic"))] if cut_short else []
    no_reason = line(literal(card_words.no_reason(approval.agent), "italic"))
    return found if request.reason.strip() else [*found, no_reason]
