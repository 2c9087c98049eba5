"""What a person is told privately: why a click came to nothing, and what can be written to the app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from signoff.bot.text.text import Trusted, call, date, is_id, mention
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import summaries
from signoff.bot.text.words.talks import help_lines
from signoff.models.approval import End

NOT_POSSIBLE = "Not possible"

# Said privately.
_A_DAY = 86_400_000_000
_SPELLED = ((3_600, "hour"), (60, "minute"), (1, "second"))


def spelled(microseconds: int) -> str:
    """A span of time under a day as one says it: `3 seconds`, `1 minute`, `5 hours`."""
    left = max(microseconds // 1_000_000, 0)
    for seconds, unit in _SPELLED:
        if left >= seconds:
            count = left // seconds
            return summaries.count(count, unit)
    return "less than a second"


def late_click(status: End | None, by_id: str, at: int, now: int) -> Trusted:
    """Somebody was faster; `status` is what the request has become, `at` when (0 where not known)."""
    when = f" at {date(at, 'time')}" if now - at < _A_DAY else f" on {date(at)}"
    when = when if at else ""
    match status:
        case "approved":
            return _faster("approved", by_id, at, now, when)
        case "answered":
            return _faster("answered", by_id, at, now, when)
        case "rejected":
            return _faster("rejected", by_id, at, now, when)
        case "cancelled":
            return Trusted(f"The agent withdrew this{when}. Nothing ran.")
        case "expired":
            return time_ran_out(at)
        case "blocked":
            return Trusted("The policy blocks this. Nothing ran.")
        case None:
            return Trusted("This does not wait any more. Nothing has changed.")
    assert_never(status)


def about(text: Trusted, what: Trusted, code: str) -> Trusted:
    """Which request it was that somebody clicked on too late."""
    return Trusted(f"{text}\n{what} · {code}")


def _faster(did: str, by_id: str, at: int, now: int, when: str) -> Trusted:
    who = mention(by_id) if is_id(by_id) else "Somebody"
    ahead = f", {spelled(now - at)} before you" if at and 0 <= now - at < _A_DAY else ""
    return Trusted(f"{who} {did} this{when}{ahead}. Nothing else happened.")


def not_an_approver(approvers: Sequence[str], changed: bool = False) -> Trusted:
    """For a member who is not on the list; it may have `changed` since the card named who is."""
    if not approvers:
        return Trusted(
            "Nobody can decide this any more: the policy no longer has the group that was asked. It ends by "
            "itself when its time is over; the agent can ask again."
        )
    if changed:
        return Trusted(
            f"Who may decide has changed since this was asked: now only {card_words.audience(approvers)} can."
        )
    return Trusted(f"Only {card_words.audience(approvers)} can decide this.")


def groups_unread(groups: Sequence[str], why: str) -> Trusted:
    """For who might be in a group whose members cannot be read: nobody decides as one of them."""
    return Trusted(
        f"Signoff cannot tell who is in {card_words.audience(groups)}: {why}. Nothing has changed. "
        "Whoever runs Signoff is told; until they name people in its place, only people named by themselves "
        "can decide."
    )


NOBODY_LEFT = Trusted(
    "Nobody can decide this any more: everybody who was asked has left, or is no full member now. Signoff's "
    "admins are told. It ends by itself when its time is over; the agent can ask again."
)


BLOCKED_NOW = Trusted("The policy blocks this now: the request has ended as blocked, and nothing runs.")


def blocked_value(reason: str) -> str:
    """At the one field that was changed, where the policy blocks the request with that; visible text."""
    return f"Blocked by policy: {reason}"


BLOCKED_EDIT = Trusted("The policy blocks the request with these changes. Nothing has changed.")
NOT_A_MEMBER = Trusted("Only members of this workspace can decide.")
NOT_RECORDED = Trusted("Signoff could not record that. Nothing has changed. Try again in a moment.")
UNKNOWN = Trusted(
    "Signoff does not know this request (any more, if it was restored from a backup made before it). "
    "Nothing has changed."
)
TAMPERED = Trusted(
    "Not recorded: what is stored of this request is no longer what was asked. Nothing ran. "
    "Please tell whoever runs Signoff."
)
RESTORED = Trusted(
    "Signoff was restored from a backup, and this request ended with that. Nothing has changed; "
    "the agent was told to ask again."
)
LOST_CARD = Trusted(
    "*Signoff was restored from a backup made before this card.* Nothing runs from it any more. "
    "What was decided on it until then holds; else the agent was told to ask again."
)


def edited_kept(by_id: str = "") -> Trusted:
    """Above a form that opens again on what somebody else has changed."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    return Trusted(f"*{who} changed this while your form was open.* What you typed is kept below.")


def decided_with_changes(by_id: str, at: int) -> Trusted:
    """A form was open when somebody approved other changes; they stand below."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    when = f" at {date(at, 'time')}" if at else ""
    return Trusted(f"{who} approved this{when} with other changes. Nothing else happened.")


def edited_meanwhile(by_id: str = "") -> Trusted:
    """The payload is not the one that was shown; a button that opens it stands below."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    return Trusted(f"{who} changed this since you opened it. Nothing has run. Have another look:")


def time_ran_out(at: int) -> Trusted:
    """The request expired while the form was open."""
    when = f" at {date(at, 'time')}" if at else ""
    return Trusted(f"The time ran out{when}. Nothing ran; the agent can ask again.")


# Written in a card's thread, and the message shortcut.
DECIDE = "Decide…"


def mention_help(app: str) -> Trusted:
    """What can be written to the app, whose user id `app` is, in a card's thread."""
    me = call(app)
    return Trusted(
        "In a card's thread:\n"
        f"{me} *pending* shows you what waits there.\n"
        f"{me} *reject* and your reason rejects the request; the agent reads the reason.\n"
        f"Where several wait, write its code before the reason: {me} *reject 7F3K2Q wrong customer*.\n"
        f"{help_lines(app)}"
        f"{me} *details* and a code, anywhere, shows you that request.\n"
        f"{me} *help* shows this.\n"
        "Approving by words is not possible: *Review…* shows everything that will run, and its last page "
        "approves. Only you see these answers. Signoff answers nothing else that people write."
    )


NOT_BY_WORDS = Trusted(
    "*Approving by words is not possible*, because words do not show what will run. Nothing has changed. "
    "*Review…* shows everything, and its last page approves."
)
REASON_TOO_LONG_HERE = Trusted("A reason has at most 3,000 characters. Nothing has changed.")
WHICH_ONE = Trusted("*Which request do you mean?* Nothing has changed. These wait for you in this thread:")
WAITS_HERE = Trusted("*Waiting for you in this thread:*")
NOT_HERE = Trusted("*That one is not in this thread.* Nothing has changed. Have a look at it:")
NOTHING_WAITS_HERE = Trusted("Nothing in this thread waits for you.")
NOT_IN_A_THREAD = Trusted(
    "Write this in the thread of a card, as a reply to it. */approvals* lists what waits for you."
)
NOT_A_CARD = Trusted(
    "This message is no card. Use *Decide…* on the card of a request; */approvals* lists what waits for you."
)


def no_reason(app: str) -> Trusted:
    """*reject* stood alone; `app` is the app's user id."""
    return Trusted(
        f"Say why, so that the agent can do better: {call(app)} *reject wrong customer*. Nothing has changed."
    )


def rejected_by_words(agent: str, action: str) -> Trusted:
    """To who rejected it in a card's thread."""
    return Trusted(
        f"You rejected {card_words.action_name(action)}. {agent} is told so, with your reason. Nothing ran."
    )
