"""The policies that the machine changes between, and beside each, in a few plain lines, what it says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from signoff.policy.loader import parse
from signoff.policy.policy import Policy

DEFAULT = frozenset({"U0ANA", "U0BEN"})
"""Who may decide what no rule gives to others."""
TEXT = """
version: 1
block: [{blocked}]
groups:
  finance: {{users: [{finance}]}}
  board: {{users: [U0BEN]}}
agents:
  "*": {{limits: {{pending: {pending}}}}}
rules:
  - {{name: small {name}, when: payload.amount <= {small}, verdict: allow}}
  - {{name: told {name}, when: payload.amount <= {told}, verdict: notify}}
  - {{name: never {name}, when: payload.amount > 5000, verdict: block}}
  - {{name: large {name}, when: payload.amount > 1000, verdict: ask, approvers: [board], exclude: []}}
  - {{name: other {name}, verdict: ask, exclude: []{others}}}
"""


@dataclass(frozen=True)
class Rules:
    """One policy; `name` is in its rules' names. Without limits there is no file: it asks for everything."""

    name: str
    finance: tuple[str, ...] = ()
    """Who decides what is neither small nor large; empty: the default approvers."""
    small: int = 0
    told: int = 0
    pending: int = 0
    shut: bool = False
    """It blocks everything."""

    @cached_property
    def policy(self) -> Policy:
        """As a server has it that was given the file."""
        settings = {"approvers": ("S0FIN",), "conversation": "C0APPROVE"}
        if not self.pending:
            return Policy(**settings)  # type: ignore[arg-type]
        text = TEXT.format(
            name=self.name, small=self.small, told=self.told, pending=self.pending,
            blocked='"refund.*"' if self.shut else "",
            finance=", ".join(self.finance or DEFAULT),
            others=", approvers: [finance]" if self.finance else "",
        )  # fmt: skip
        return parse(text.encode(), "policy.yml", **settings).policy  # type: ignore[arg-type]

    def verdict(self, amount: int) -> tuple[str, str]:
        """(answer, rule) for an amount."""
        if not self.pending:
            return "ask", ""
        if self.shut:
            return "block", ""
        if amount <= self.told:
            return (
                ("allow", f"small {self.name}") if amount <= self.small else ("notify", f"told {self.name}")
            )
        if amount > 1000:
            return ("block", f"never {self.name}") if amount > 5000 else ("ask", f"large {self.name}")
        return "ask", f"other {self.name}"

    def group(self, rule: str) -> str:
        """Whom a rule of any policy that asks names: `board`, `finance`, or nobody."""
        if rule.startswith("large"):
            return "board"
        return "finance" if any(rule == f"other {one.name}" and one.finance for one in ALL) else ""

    def members(self, group: str) -> frozenset[str]:
        """Who that is while this policy is in force."""
        if not group:
            return DEFAULT
        if not self.pending:
            return frozenset()  # a group of a file that is gone
        return frozenset({"U0BEN"} if group == "board" else self.finance or DEFAULT)


ALL = (
    Rules("none"),
    Rules("first", finance=("U0ANA", "U0BEN"), small=20, told=60, pending=4),
    Rules("loose", finance=("U0MIA",), small=60, told=100, pending=9),
    Rules("plain", small=15, told=15, pending=2),
    Rules("shut", finance=("U0ANA",), pending=3, shut=True),
)
