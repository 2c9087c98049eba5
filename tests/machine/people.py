"""The two policies between which the other machines change, and who may do what while each is in force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from signoff.policy.loader import parse
from signoff.policy.policy import Policy

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"
OWNER = MIA
MOST = 4
TEXT = """
version: 1
questions: {{approvers: [{questioned}]}}
feedback: 100%
batch: {{most: {most}, of: ["ticket.*"]}}
risk: {{"*": low}}
reversibility: {{"*": reversible, "ticket.close": irreversible}}
agents: {{"*": {{owner: U0MIA}}}}
rules:
  - {{name: told, match: {{action: note.add}}, verdict: notify, approvers: U0ANA, undo_for: 1h,
      undo: {{action: note.drop, payload: {{id: $result.id, n: $payload.n}}}}}}
  - {{name: drops, match: {{action: note.drop}}, verdict: {drops}}}
  - {{name: later, match: {{action: task.start}}, {later}}}
  - {{name: asks, match: {{action: "ticket.*"}}, verdict: ask, approvers: [{asked}]{talk}}}
"""


@dataclass(frozen=True)
class Rules:
    """One policy. `questioned` answer questions, `asked` decide tickets, `graced` decide held tasks."""

    asked: frozenset[str]
    questioned: frozenset[str]
    graced: frozenset[str]
    free: bool
    """Tasks run after a while, notes are dropped without asking, and a talk gives ten minutes more."""

    @cached_property
    def policy(self) -> Policy:
        """As a server has it that was given the file."""
        text = TEXT.format(
            questioned=", ".join(sorted(self.questioned)),
            asked=", ".join(sorted(self.asked)),
            most=MOST if self.free else 2,
            drops="allow" if self.free else "block",
            later="verdict: allow, after: 1m, approvers: U0ANA"
            if self.free
            else "verdict: ask, approvers: U0BEN",
            talk=", talk: +10m" if self.free else "",
        )
        given = {"approvers": ("S0FIN",), "conversation": "C0APPROVE"}
        return parse(text.encode(), "policy.yml", **given).policy  # type: ignore[arg-type]


FREE = Rules(frozenset({ANA, BEN}), frozenset({ANA, BEN}), frozenset({ANA}), True)
STRICT = Rules(frozenset({BEN}), frozenset({BEN}), frozenset({BEN}), False)
