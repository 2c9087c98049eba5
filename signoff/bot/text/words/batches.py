"""What stands on the card of requests that are asked together, and in their Review."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import assert_never

from signoff.bot.text.quotes import quoted
from signoff.bot.text.text import Trusted, call, date, is_id, mention
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import summaries
from signoff.models.approval import Approval
from signoff.models.verdict import Verdict

# Buttons. Slack: a button holds 75 characters, and shows some 30; a modal's title 24.
REVIEW_EACH = "Review each…"
REJECT_ALL = "Reject all…"
NEXT_ONE, PREVIOUS_ONE = "Next", "Previous"
REST_LIKE_THIS = "The rest like this…"
LOOK_THROUGH = "Look through…"
BACK_TO_EACH = "Back to one by one"
TITLE = "Review together"
EACH_TITLE = "Review each"
REJECT_TITLE = "Reject all"
RESULT_TITLE = "What became of them"
DECIDING_TITLE = "Deciding…"

# Headings.
LOOK_FIRST = Trusted("*Look at these first*")
THE_OTHERS = Trusted("*The others*")
THE_SAME = "The same"
AGENT_SAYS_OF_ALL = "The agent says of all of them"
NUMBER = "No."
NOTHING_OF_ITS_OWN = "nothing of its own"
REASONS_DIFFER = "What the agent says is not the same of each: Review… shows it."


def approve_all(count: int) -> str:
    """The button that approves all that the card, or the whole of a Review, shows."""
    return f"Approve all {count:,}" if count > 1 else card_words.APPROVE


def approve_seen(count: int) -> str:
    """The button on a page of a Review that is not the last."""
    return f"Approve the {count:,} you saw" if count > 1 else "Approve the one you saw"


def review_together(count: int, action: str = "") -> str:
    """In a card's menu, and over a list: those that are alike; their `action` where there are others."""
    return f"Review {count:,} × {action} together…" if action else f"Review these {count:,} together…"


def header(actions: Sequence[tuple[str, int]], size: int) -> str:
    """The card's header, the same in every state: how many of which actions. Actions have no markup."""
    if len(actions) == 1:
        return f"{size:,} × {actions[0][0]}" if size > 1 else actions[0][0]
    named = ", ".join(f"{count:,} × {action}" for action, count in actions[:3])
    return f"{summaries.count(size, 'request')}: {named}{', …' if len(actions) > 3 else ''}"


def called(title: str) -> str:
    """What the agent calls them; `title` is visible text."""
    return f"The agent calls it {quoted(title)}."


def asks(agent: str, approvers: Sequence[str], ends: Collection[int]) -> Trusted:
    """Who asks whom, and until when."""
    return Trusted(f"{agent} asks {card_words.audience(approvers)} · {until(ends)}")


def until(ends: Collection[int], now: int | None = None) -> Trusted:
    """When their time ends: from when to when, where that is a minute or more apart; else as of one."""
    first, last = min(ends), max(ends)
    if last - first < 60_000_000:
        return card_words.until(first, now)
    return Trusted(f"expires between {date(first)} and {date(last)}")


def asked(agent: str, at: int) -> Trusted:
    """The same afterwards."""
    return Trusted(f"{agent} asked · {date(at)}")


def counts(found: Sequence[tuple[str, int]]) -> Trusted:
    """`31 wait · 4 approved`: of each state those that there are."""
    named = [
        f"{count:,} {_WAITS.get(count == 1, '') if state == 'wait' else state}" for state, count in found
    ]
    return Trusted(f"*{' · '.join(named)}*")


_WAITS = {True: "waits", False: "wait"}


def decided_by(state: str, count: int, by_id: str, which: str) -> Trusted:
    """`1–3, 7: approved by @ana`; `which` are their numbers."""
    by = f" by {mention(by_id)}" if is_id(by_id) else ""
    many = f" ({count:,})" if count > SEVERAL else ""
    return Trusted(f"{which}: {state}{by}{many}")


SEVERAL = 4
"""Requests that nobody counts at a glance."""


def reported(done: int, failed: int, silent: int) -> Trusted:
    """What became of those approved, as far as the agent says."""
    parts = [f"*Done* {done:,}" if done else "", f"*Failed* {failed:,}" if failed else ""]
    parts.append(f"{silent:,} not reported yet" if silent else "")
    return Trusted(" · ".join(part for part in parts if part))


def apart(count: int, why: Sequence[tuple[str, int]]) -> Trusted:
    """How many of the agent's requests have cards of their own, and why."""
    has = "has a card of its own" if count == 1 else "have cards of their own"
    return Trusted(f"{count:,} more {has}: {', '.join(f'{reason} ({number:,})' for reason, number in why)}")


def apart_because(approval: Approval) -> str:
    """Why one leaves a batch, as far as its verdict says."""
    match approval.status:
        case "blocked":
            return "blocked by policy"
        case "pending" | "approved" | "answered" | "rejected" | "expired" | "cancelled":
            return _left_because(approval.verdict)
    assert_never(approval.status)


def _left_because(verdict: Verdict) -> str:
    if verdict.effect != "ask":
        return "let through by policy"
    if verdict.risk == "critical":
        return "critical risk"
    if verdict.reversibility_from == "nobody":
        return "nobody said whether it can be undone"
    if verdict.reversibility == "irreversible":
        return "cannot be undone"
    return "the policy decides it by itself, or it came late"


def same_in_all(count: int) -> Trusted:
    """Over what all of them share."""
    return Trusted(f"*The same in all {count:,}*" if count != 2 else "*The same in both*")


def nothing_shared() -> str:
    """In its place."""
    return "They have no value in common."


def more_items(count: int) -> str:
    """Where not all of them stand on the card."""
    return f"… and {summaries.count(count, 'more request')}"


def folded() -> str:
    """Where the card does not show every payload whole."""
    return f"Not all of it stands here: {card_words.REVIEW_MORE} shows every one in full, and approves."


def stakes_differ(found: Sequence[tuple[str, int]]) -> Trusted:
    """How many of them can be undone, and how they are rated, where that is not the same for all."""
    known = [(text.replace(" · ", ", "), count) for text, count in found]
    return Trusted(" · ".join(f"*{count:,}* {text[0].lower()}{text[1:]}" for text, count in known))


def warned(which: str, line: str) -> str:
    """What can mislead, and in which of them; visible text."""
    return f"{which}: {line}"


def in_all() -> str:
    """In the place of numbers."""
    return "In all"


def look_alike(numbers: str) -> str:
    """Some of them read alike and are not the same."""
    return f"{numbers} look alike, and are not the same: one is written in other letters or spaces."


def are_the_same(numbers: str) -> str:
    """Some of them ask for the very same."""
    return f"{numbers} ask for the very same."


# The question that approving many asks. Slack: 100 characters of a title, 300 of a text.
def confirm_title(count: int) -> str:
    """Above it."""
    return f"Approve {summaries.count(count, 'request')}?"


def confirm_text(count: int, stuck: int, unsaid: int, costly: int) -> str:
    """How many run, and how many of them cannot simply be undone."""
    parts = [
        f"{stuck:,} of them cannot be undone." if stuck else "",
        f"Of {unsaid:,} nobody said whether they can be undone." if unsaid else "",
        f"{costly:,} are costly to undo." if costly else "",
    ]
    said = " ".join(part for part in parts if part)
    each = said or "All of them can be undone."
    return f"{summaries.count(count, 'action runs', 'actions run')} with exactly what you saw. {each}"


# Review.
def page_of(page: int, pages: int, seen: int, count: int) -> str:
    """Which page this is, and how many of the requests have been shown with it."""
    return f"Page {page:,} of {pages:,} · {seen:,} of {count:,} shown in full so far"


def place_of(at: int, count: int) -> str:
    """Which of them this is, counted from 1."""
    return f"{at:,} of {count:,}"


def numbered(number: int, state: Trusted) -> Trusted:
    """A line about one of them."""
    return Trusted(f"{number}: {state}")


def and_others(lines: Sequence[str]) -> list[Trusted]:
    """In the place of those for which there is no room."""
    return [Trusted(more_items(len(lines)))] if lines else []


STILL_WAITS = Trusted("It still waits.")


def deciding(count: int) -> str:
    """While a decision on many is carried out."""
    return (
        f"Deciding {summaries.count(count, 'request')}… You may close this: what is decided stays decided, "
        "and the card says how many of each."
    )


def done(vote: str, count: int, resubmit: bool = False) -> Trusted:
    """The first line of the result."""
    word = "approved" if vote == "approve" else "sent back" if resubmit else "rejected"
    if not count:
        return Trusted(f"*You {word} none of them.*")
    return Trusted(f"*You {word} {count:,}.*")


def left(count: int) -> Trusted:
    """Over those that the decision has not reached."""
    return Trusted(f"*{summaries.count(count, 'was', 'were')} not decided by you:*")


def still_wait(count: int) -> Trusted:
    """Those that nobody has decided."""
    return Trusted(f"{count:,} still {'waits' if count == 1 else 'wait'} for a decision.")


def broken_off(count: int) -> Trusted:
    """Where the database went away in the middle."""
    return Trusted(
        f"*Signoff could not finish that.* {count:,} of them stand as decided by you; the others are as they "
        "were. Press again in a moment."
    )


def say_which(word: str, count: int, app: str) -> Trusted:
    """In a batch's thread, where no number says which of its requests is meant."""
    what = {"ask": "3 why is it so old?", "note": "3 book it on the old account"}.get(word, "3")
    return Trusted(
        f"This card is about {summaries.count(count, 'request')}: say which by its number, "
        f"{call(app)} *{word} {what}*, or use *{REVIEW_EACH}* on the card."
    )


def decided_on_its_card(app: str) -> Trusted:
    """Where somebody would reject or approve one of a batch by words."""
    me = call(app)
    return Trusted(
        f"This card is about several requests: decide on it with *{REVIEW_EACH}* or *{REJECT_ALL}*. "
        f"{me} *ask 3 …* and {me} *note 3 …* are about the one with that number."
    )


NOTHING_WAITS = Trusted("*None of these waits any more.* Nothing has changed.")
NOTHING_LIKE_IT = Trusted("No other request like this one waits for you.")
CHANGED_MEANWHILE = Trusted("*This changed meanwhile: have another look.* Nothing was decided.")
REVIEW_OVER = Trusted(
    "*This review is over, or is not yours.* Nothing has changed: open it again on the card."
)
REVIEW_ONE = "It is longer than fits here: Review… shows it in full, and its last page approves."


def reject_note(agent: str, count: int) -> str:
    """Over the form that rejects many."""
    return f"Tell {agent} · {summaries.count(count, 'request')}, one reason for all"
