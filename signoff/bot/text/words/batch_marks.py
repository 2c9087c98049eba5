"""Why one of several requests stands out from the others."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.place import BETWEEN
from signoff.bot.text.quotes import isolated, quoted
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval

AN_OTHER = "another one"
MISLEADS = "something in it can mislead"


def _named(names: Sequence[str]) -> str:
    """A place in quotes that no name in it can close: “customer › id”."""
    return f"“{BETWEEN.join(quoted(name)[1:-1] for name in names)}”"


def rejected_before(same: bool) -> str:
    """Somebody said no before."""
    return f"somebody has rejected {'the same' if same else 'one like it'} before"


def undo_differs(approval: Approval) -> str:
    """It is harder to undo than most."""
    verdict = approval.verdict
    text = card_words.undoable(verdict.reversibility, verdict.reversibility_from)
    return f"{text[0].lower()}{text[1:]}"


def risk_differs(approval: Approval) -> str:
    """It is rated higher than most."""
    return card_words.rated(approval.verdict.risk, approval.verdict.risk_from)


def another_action(usual: str) -> str:
    """Most are something else."""
    return f"another action: most are {usual}"


def the_other_action(other: str) -> str:
    """There are two, and they are not the same."""
    return f"another action than the other one: {other}"


def only_here(names: Sequence[str]) -> str:
    """A field that few have; `names` lead to it, each visible text."""
    return f"has {_named(names)}, as few do"


def not_here(names: Sequence[str]) -> str:
    """A field that nearly all have."""
    return f"has no {_named(names)}, as the others do"


def far(names: Sequence[str], more: bool) -> str:
    """A number far from the others."""
    return f"{_named(names)} is far {'above' if more else 'below'} the others"


def longer(names: Sequence[str]) -> str:
    """A text far longer than the others."""
    return f"{_named(names)} is far longer than the others"


def rare(names: Sequence[str], usual: str, count: int, of: int) -> str:
    """A value that few have; `usual` is what `count` of them have, visible text."""
    return f"{_named(names)} is {usual} in {count:,} of {of:,}, not here"


# What has become of one since somebody began to look.
CHANGED_SINCE = "it was changed since you began: look at it by itself"
WAITS = "waits"


def became(state: str, by: str) -> str:
    """What has become of one, in its line; `by` is a person's name, visible, empty for nobody's."""
    return f"{state} by {isolated(by)}" if by else state


def by_code(said: str, code: str) -> str:
    """The same with the code by which it is looked up."""
    return f"{said} · {code}"
