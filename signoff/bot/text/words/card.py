"""What stands on cards and in notifications, and the terms that all other texts are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from signoff.bot.text.text import Trusted, date, is_id, mention
from signoff.bot.text.words import summaries
from signoff.models.people import MEMBERS

# Buttons, menus and titles. Slack: a title or a submit holds 24 characters, an option 75.
APPROVE = "Approve"
APPROVE_MORE = "Approve…"
REJECT = "Reject"
REJECT_MORE = "Reject…"
EDIT_MORE = "Edit…"
REVIEW_MORE = "Review…"
NOTE_MORE = "Approve with note…"
DETAILS_MORE = "Details…"
MORE = "More…"
MORE_TITLE = "What else"
NOTHING_ELSE = "There is nothing else to do about it any more."

# Headings.
AGENT_SAYS = "The agent says"
CHANGED = "Changed by the approver"
ABSENT = "(not given)"
NOTE = "Note"
REASON = "Reason"
EMPTY_PAYLOAD = "No arguments: the action runs as it is."
CLAIM_LABELS = {
    "interpretation": "Took its task to mean",
    "requested_by": "For", "impact": "Touches", "undo": "To undo", "alternatives": "Instead",
    "context": "Context",
}  # fmt: skip

READ_AS = Trusted("The agent took its task to mean")

CODE_FORMATS = {"diff": "a diff", "sql": "SQL", "markdown": "Markdown", "code": "code"}
"""Formats of a schema's texts that are shown as code, and what to call them."""


def code_mark(form: str) -> str:
    """After the name of a text shown as code: whose word that is."""
    return f"(the agent calls it {CODE_FORMATS[form]})"


def unchanged_lines(count: int) -> str:
    """Between the changed lines of a long text."""
    return f"… {summaries.count(count, 'line')} unchanged"


# The card.
RISK_NOT_RATED = "risk not rated"
"""Nobody has rated an action: what the policy's rules count it as is not said of it."""


def asks(agent: str, approvers: Sequence[str], ends: int, code: str) -> Trusted:
    """The line under the header while somebody may decide. It stands for hours: so no time that is left."""
    return Trusted(f"{agent} asks {audience(approvers)} · {until(ends)} · {code}")


def asked(agent: str, at: int, code: str) -> Trusted:
    """The same line afterwards: it mentions nobody again."""
    return Trusted(f"{agent} asked · {date(at)} · {code}")


def asks_as(why: str) -> str:
    """Which sum of the policy had a person asked; visible text."""
    return f"Asked about because {why}."


def audience(approvers: Sequence[str], most: int = 20) -> Trusted:
    """Who may decide, as mentions."""
    named = [mention(approver) for approver in approvers if is_id(approver)]
    if MEMBERS in approvers:
        named.append(Trusted("any member of this workspace"))
    if not named:
        return Trusted("its approvers")
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return Trusted(", ".join(named[:most]) + more)


def undoable(reversibility: str, source: str) -> str:
    """Whether it can be undone, and who says so."""
    if source == "nobody":
        return "Nobody said whether it can be undone: treat as final"
    word = {"reversible": "Can be undone", "costly": "Costly to undo"}.get(reversibility, "Cannot be undone")
    return f"{word} (the agent says so)" if source == "agent" else word


def stakes(reversibility: str, reversibility_from: str, risk: str, risk_from: str) -> Trusted:
    """What Signoff knows of reversibility and risk. What the agent alone says is marked as that."""
    return Trusted(f"*{undoable(reversibility, reversibility_from)}* · {rated(risk, risk_from)}")


def rated(risk: str, source: str) -> str:
    """How high the risk is by the policy; where the agent says that it is higher, that."""
    if source == "nobody":
        return RISK_NOT_RATED
    return f"{risk} risk (the agent says so)" if source == "agent" else f"{risk} risk"


NOT_GIVEN = "Not given: "
"""Before the names of what a payload leaves out."""
SCHEMA_SAYS = "the agent's schema says "
"""Before the defaults of what it leaves out."""
NOT_GIVEN_BUT = f"Not given; {SCHEMA_SAYS}"
"""Before them where all that is left out has a default."""


def with_currency(name: str) -> str:
    """After an amount's name, whose currency stands in the field `name` (visible) and is shown beside it."""
    return f"+ {name}"


IN_FULL = "(in full)"
AS_SENT = "(as sent)"
"""After the name of a value that stands below its summary."""


def cut_rows(lines: int, size: int) -> str:
    """Where a long value is cut; `size`, in bytes, is of what is left out."""
    return f"… {summaries.count(lines, 'more line')} ({kilobytes(size)})"


def cut_text(characters: int) -> str:
    """Where a text of one line is cut."""
    return f"… {summaries.count(characters, 'more character')}"


def more_fields(count: int, names: Sequence[str]) -> str:
    """One-line fields for which a message has no room; `names` (visible) are the first of them."""
    fields = f"… {summaries.count(count, 'more field')}"
    if not names:
        return fields
    unnamed = count - len(names)
    others = f" and {summaries.count(unnamed, 'other')}" if unnamed else ""
    return f"{fields}: {', '.join(names)}{others}"


FOLDED = f"Not all of it stands here: {REVIEW_MORE} shows everything."


SCHEMA_LEFT_OUT = (
    "Its schema was too costly to check: fields are shown as sent, and edits are not checked by it."
)


def more_claims() -> str:
    """Where the rest of the agent's words stands."""
    return f"… more in {DETAILS_MORE}"


def no_reason(agent: str) -> str:
    """Where the agent's reason would stand."""
    return f"{agent} gave no reason."


def confirm_title(action: str) -> str:
    """Above the question that Approve asks."""
    return f"Approve {action}?"


def confirm_text(reversibility: str, source: str, action: str, arguments: str) -> str:
    """The question that Approve asks; `arguments` is visible text, one a line, as `amount 120`."""
    if source == "nobody":
        first = "Nobody said whether this can be undone."
    else:
        known = {"reversible": "This can be undone.", "costly": "This is costly to undo."}
        first = known.get(reversibility, "This cannot be undone.")
    return f"{first} Run {action} with this?\n{arguments}" if arguments else f"{first} Run {action}?"


# The notification and what screen readers read: they get nothing else of a card.
_PLAIN_ACTION = re.compile(r"[A-Za-z0-9.-]+(?:_[A-Za-z0-9.-]+)*")


def action_name(action: str) -> Trusted:
    """An action in mrkdwn: its charset has no markup, and in code `@`, `:` and `/` do nothing either."""
    return Trusted(action if _PLAIN_ACTION.fullmatch(action) else f"`{action}`")


def let_through(agent: str, at: int, code: str) -> Trusted:
    """On the card of what the policy lets run and has reported."""
    return Trusted(f"{agent} · ran without asking, as the policy lets it · {date(at)} · {code}")


# States.
def approved(by_id: str, at: int, after: int | None = None, how: str = "") -> Trusted:
    """By whom, when, and after how long (microseconds); `how` says what they proved it with."""
    return Trusted(f"*Approved*{_voted(by_id, at, after, how)}")


def approved_by(people: Sequence[str], at: int, after: int | None = None) -> Trusted:
    """The same, by several."""
    *first, last = [mention(one) if is_id(one) else "somebody" for one in people]
    took = f", after {duration(after)}" if after is not None else ""
    return Trusted(f"*Approved* by {', '.join(first)} and {last} · {date(at)}{took}")


def answered(by_id: str, at: int, after: int | None = None) -> Trusted:
    """The same of a question."""
    return Trusted(f"*Answered*{_voted(by_id, at, after)}")


def approved_by_policy(at: int) -> Trusted:
    """Nobody was asked."""
    return Trusted(f"*Approved by policy* · {date(at)}")


def rejected(resubmit: bool, by_id: str, at: int, after: int | None = None) -> Trusted:
    """The same of a rejection; `resubmit` where the agent may come back with changes."""
    return Trusted(f"*{'Sent back' if resubmit else 'Rejected'}*{_voted(by_id, at, after)}. Nothing ran.")


def _voted(by_id: str, at: int, after: int | None, how: str = "") -> Trusted:
    by = f" by {mention(by_id)}{how}" if is_id(by_id) else how
    took = f", after {duration(after)}" if after is not None else ""
    return Trusted(f"{by} · {date(at)}{took}")


def overdue(at: int) -> Trusted:
    """Its time is over, and that is not recorded yet."""
    return Trusted(f"*The time ran out at {date(at)}.* Nothing ran.")


def expired(at: int) -> Trusted:
    """A timeout is never told to anyone as a rejection."""
    return Trusted(f"*Nobody answered by {date(at)}.* The agent was told so. Nothing ran.")


def restored(at: int) -> Trusted:
    """Ended by a restore: whether somebody had answered after the backup, nobody can tell any more."""
    return Trusted(
        f"*Ended when Signoff was restored from a backup · {date(at)}.* The agent was told to ask again. "
        "What was decided here since that backup is not known."
    )


def withdrawn(at: int) -> Trusted:
    """Cancelled by its agent."""
    return Trusted(f"*Withdrawn by the agent* · {date(at)}. Nothing ran.")


def asked_anew(at: int) -> Trusted:
    """Its agent was gone, and another request for the same took its place."""
    return Trusted(
        f"*Asked anew* · {date(at)}. Nobody waited for this one any more, and the same was asked again: "
        "decide there. Nothing ran."
    )


def blocked(action: str) -> Trusted:
    """Refused by a rule, without asking anyone."""
    return Trusted(f"*Blocked by policy:* {action_name(action)}. Nothing ran.")


def outcome(succeeded: bool, at: int | None, by_id: str = "") -> Trusted:
    """What became of it, as its agent reports; a failure mentions who approved."""
    when = f" · {date(at)}" if at is not None else ""
    who = f" · {mention(by_id)}, please have a look" if not succeeded and is_id(by_id) else ""
    return Trusted(f"*{'Done' if succeeded else 'Failed'}*{when}{who}")


# Durations and sizes.
_UNITS = ((86_400, "day", "days"), (3_600, "h", "h"), (60, "min", "min"), (1, "s", "s"))


def duration(microseconds: int) -> str:
    """A span of time in at most two units: `38 s`, `2 h 5 min`, `1 day`."""
    left, parts = max(microseconds // 1_000_000, 0), []
    for seconds, one, many in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(summaries.count(count, one, many))
        elif parts:
            break
    return " ".join(parts[:2]) or "less than 1 s"


def until(ends: int, now: int | None = None) -> Trusted:
    """When a request's time ends; and in how long, where it is read at once, at `now`."""
    if now is None or now >= ends:
        return Trusted(f"until {date(ends)}")
    return Trusted(f"expires in {remaining(ends - now)} ({date(ends)})")


def remaining(microseconds: int) -> str:
    """A span of time that is left, to the nearest unit: `25 minutes`, `24 hours`, `3 days`."""
    seconds = microseconds / 1_000_000
    for size, unit, most in ((1, "second", 90), (60, "minute", 90), (3_600, "hour", 48)):
        count = round(seconds / size)
        if count < most:
            return summaries.count(count, unit)
    return f"{round(seconds / 86_400)} days"


def kilobytes(size: int) -> str:
    """A size in bytes, as people read it."""
    return summaries.count(size, "byte") if size < 1_000 else f"{max(round(size / 1_000), 1):,} KB"


TRUNCATED = "The rest does not fit here."
