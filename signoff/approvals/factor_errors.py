"""Why an approval was not taken as its person's own: each changes nothing.

NotRecorded
└── Unproven
    ├── ProofAsked  NoFactor  FactorUnread
    └── WrongCode  CodeUsed  FactorLocked  WrongTyped  NotInvited
"""

from __future__ import annotations

from signoff.approvals.errors import NotRecorded


class Unproven(NotRecorded):
    """The policy wants more than a Slack account, and it was not given."""


class ProofAsked(Unproven):
    """The policy wants a code, or a value typed, and none was given yet: ask for it."""


class NoFactor(Unproven):
    """This person has no second factor that counts.

    `from_` is when one that they have enrolled will, in microseconds since 1970, 0 where there is none;
    `restored` says that a restore came between, and the operator has to affirm it.
    """

    def __init__(self, from_: int = 0, *, restored: bool = False) -> None:
        super().__init__()
        self.from_, self.restored = from_, restored


class FactorUnread(Unproven):
    """This person's second factor cannot be read: its key is not here."""


class WrongCode(Unproven):
    """It is none of this person's codes of now; after `left` more wrong ones none is taken."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left


class CodeUsed(Unproven):
    """This code was used already: each counts once."""


class FactorLocked(Unproven):
    """Too many codes were wrong: none is taken until `until`, in microseconds since 1970."""

    def __init__(self, until: int) -> None:
        super().__init__()
        self.until = until


class WrongTyped(Unproven):
    """What was typed is not the value of this field (`payload.customer`)."""

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field


class NotInvited(Unproven):
    """Nobody has invited this person with that code, or it was used, or it is too old."""
