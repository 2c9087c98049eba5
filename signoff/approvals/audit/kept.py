"""What lines say of votes: of each that was given, and of those that count no more; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from signoff.approvals.audit.fits import Exactly, Fits
from signoff.approvals.audit.told import Contradiction, Row, Said, Told

PLACE = ("conversation", "message", "thread", "permalink")
"""Columns of where a card stands."""


def given(line: Said, data: Mapping[str, Any], approver: str, at: int, salted: Callable[[str], Fits]) -> Row:
    """A vote's row, as a line tells it; `data` may be of before, and then it says less."""
    fits: dict[str, Fits] = {
        "version": Exactly(line.data["version"]),
        "approver": Exactly(approver),
        "at": Exactly(at),
        "withdrawn_at": Exactly(None),
        "void": Exactly(None),
        "vote": Exactly(data["vote"] if "vote" in data else data["answer"]),
        "reason": salted(data["reason"]),
    }
    if "name" in data:
        fits |= {"name": salted(data["name"]), "resubmit": Exactly(data["resubmit"])}
        fits["second_factor"] = Exactly(data["second_factor"])
    if "vote" in data:  # what was called answer before was the vote
        answer = data.get("answer")
        fits["answer"] = Exactly(None) if answer is None else salted(answer)
    if "seat" in data:
        fits["seat"] = Exactly(data["seat"])
        fits["fits"] = Exactly(json.dumps(data["fits"]) if data["fits"] else "")
        fits["self_approved"] = Exactly(data["self"])
    fits["deputy_for"] = Exactly(data.get("deputy_for"))
    return {name: Told(fit, line.seq) for name, fit in fits.items()}


def void(votes: Sequence[Row], line: Said) -> None:
    """A vote counts no more; raises Contradiction where none of that person's stood."""
    who, version = line.data["by"], line.data["version"]
    for row in reversed(votes):
        stands = row["withdrawn_at"].fit.fits(None)
        if stands and row["approver"].fit.fits(who) and row["version"].fit.fits(version):
            row["withdrawn_at"] = Told(Exactly(line.at), line.seq)
            row["void"] = Told(Exactly(line.data["why"]), line.seq)
            return
    raise Contradiction(line.seq, "a vote ends that no line tells of")
