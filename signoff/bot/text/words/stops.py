"""What people read of a stop: who has stopped what, since when, what is known of it, and who may resume."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.quotes import isolated, quoted
from signoff.bot.text.text import Trusted, cut, date, escape, is_id, mention, visible
from signoff.bot.text.words import card as card_words
from signoff.models.stops import OPERATORS, SIGNOFF, Stop, StopScope

NAMED = 50
"""Characters of an action's name where it stands beside other words: Slack's options hold 75."""
REASON_MOST = 500
"""Characters of a reason: everybody who meets the stop reads it."""

# Buttons, titles and labels.
STOP = "Stop"
STOP_MORE = "Stop…"
RESUME = "Resume"
RESUME_MORE = "Resume…"
LOOK_AGAIN = "Look again"
STOPPED = "Stopped"
RESUMED = "Resumed"
GUARDS = "Guards that ask say so within seconds; what no guard checks can run until its time is over."
HOME_TITLE = "Stopped"

# The forms.
WHAT = "What is stopped"
WHAT_HINT = "New requests are refused, waiting ones held; what was approved and has not run yet is void."
WAITING = "What waits"
WAITING_HELD = "Is held: somebody decides it once this is resumed"
WAITING_ENDS = "Ends: its agent is told that it was stopped"
UNDOS = "Undos"
UNDOS_HELD = "Are stopped, too: nothing runs"
UNDOS_PASS = "May still run"
REASON = "Why"
REASON_HINT = "Whoever meets the stop reads this."
HOW_LABEL = "How it goes on"
AT_ONCE = "At once: the policy decides, as before"
STAGED = "Asking first: people are asked about all of it, until that is lifted"
STAYS_VOID = Trusted("What was approved before stays void: its agent has to ask again.")


def what(scope: StopScope) -> Trusted:
    """What is stopped, in a sentence of mrkdwn: `billing-bot`, `refund.*` of every agent, everything."""
    match scope.kind:
        case "agent":
            return escape(visible(scope.name))
        case "action":
            return Trusted(f"{_as_code(scope.name)} of every agent")
        case "all":
            return Trusted("everything")


def short(scope: StopScope) -> str:
    """The same as plain text, where there is little room."""
    return "everything" if scope.kind == "all" else isolated(cut(visible(scope.name), NAMED))


def stop_more(agent: str) -> str:
    """In the menu of a card, and on Home."""
    return f"Stop {agent}…"


def resume_more(scope: StopScope) -> str:
    """In the menu of a card that is held."""
    return f"Resume {short(scope)}…"


def title(verb: str, scope: StopScope) -> str:
    """Of a form; a longer one is cut."""
    return f"{verb} {short(scope)}"


def choice(scope: StopScope) -> str:
    """What there is to choose."""
    match scope.kind:
        case "agent":
            return f"{scope.name}, whatever it asks for"
        case "action":
            return f"{short(scope)}, of every agent"
        case "all":
            return "Everything, of every agent"


def already(stop: Stop) -> Trusted:
    """Over a form that stops more than what is stopped."""
    return Trusted(f"{line(stop)}. What you stop here is stopped beside that.")


def by(who: str) -> Trusted:
    """Who has stopped or resumed it."""
    if who in OPERATORS:
        return Trusted("the operator")
    if who == SIGNOFF:
        return Trusted("Signoff")
    return mention(who) if is_id(who) else Trusted("somebody")


# On cards, lists and Home.
def holds(stop: Stop) -> Trusted:
    """On a card that waits: why nobody can decide it now."""
    nothing = {"agent": f"nothing of {stop.name} runs", "action": f"no {_as_code(stop.name)} runs"}
    told = nothing.get(stop.kind, "nothing runs")
    return Trusted(f"*Stopped by {by(stop.by)} {date(stop.at)}: {told}*")


HOW_TO_RESUME = Trusted("Nobody can decide this until it is resumed: in the card's menu, or on Home.")


def blocked(stop_said: str, at: int) -> Trusted:
    """On the card of what was asked while it was stopped."""
    return Trusted(f"*Refused: {escape(visible(stop_said))}* · {date(at)}. Nothing ran.")


def listed_blocked(stop_said: str, at: int) -> Trusted:
    """The same in a list."""
    return Trusted(f"*Refused: {escape(visible(stop_said))}* · {date(at)}")


def void(stop: Stop) -> Trusted:
    """On the card of what was approved and is void since."""
    return Trusted(f"*Void* · stopped by {by(stop.by)} {date(stop.at)}. Nobody has said that it ran.")


LISTED = Trusted("*stopped*")


def line(stop: Stop) -> Trusted:
    """One stop on Home and in lists."""
    scope = what(stop.scope)
    named = Trusted(f"{scope[0].upper()}{scope[1:]}") if stop.kind == "all" else scope
    if stop.staged:
        since = date(stop.staged_at or stop.at)
        return Trusted(f"*{named}* is asked about since {by(stop.resumed_by)} resumed it so · {since}")
    undos = " · undos may run" if stop.undos else ""
    return Trusted(f"*{named}* is stopped · by {by(stop.by)} · {date(stop.at)}{undos}")


def reason(text: str) -> str:
    """Why, in the words of who stopped it, as plain text of one line; empty where they gave no reason."""
    said = cut(visible(" ".join(text.split())), 300)
    return f"{REASON}: {quoted(said)}" if said else ""


def more_stops(count: int) -> Trusted:
    """Below the first of many."""
    return Trusted(f"{count:,} more: */approvals resume* lists them.")


# What is known of what was approved before.
def known(void: int, unconfirmed: int, until: int | None, spent: int) -> Trusted:
    """`3 void, confirmed by guards · 1 unconfirmed, could run until 14:31 · 1 reported spent`."""
    parts = [f"*{void:,} void*, confirmed by guards"] if void else []
    if unconfirmed:
        could = f", could run until {date(until)}" if until else ""
        parts.append(f"*{unconfirmed:,} unconfirmed*{could}")
    parts += [f"*{spent:,} reported spent*"] if spent else []
    return Trusted(" · ".join(parts) or "Nothing was approved that has not run.")


def done(stop: Stop) -> Trusted:
    """To who has just stopped it."""
    return Trusted(f"*{what(stop.scope)} is stopped.*" if stop.kind != "all" else "*Everything is stopped.*")


def resumed(stop: Stop) -> Trusted:
    """To who has just resumed it."""
    named = what(stop.scope) if stop.kind != "all" else "Everything"
    if stop.staged:
        return Trusted(f"*{named} is asked about from now on.* Resume it once more to lift that, too.")
    return Trusted(f"*{named} is resumed.*")


# What admins are told.
def told_admins(stop: Stop) -> Trusted:
    """In a message of their own, once for each change."""
    named = what(stop.scope) if stop.kind != "all" else "Everything"
    if stop.ended_at is not None:
        return Trusted(f"*{named} is resumed* · by {by(stop.resumed_by)} · {date(stop.ended_at)}.")
    if stop.staged_at is not None:
        return Trusted(
            f"*{named} is asked about* · resumed so by {by(stop.resumed_by)} · {date(stop.staged_at)}. "
            "People are asked about everything of it until somebody resumes it wholly, on Home."
        )
    undos = "Undos may still run." if stop.undos else "Undos are stopped, too."
    return Trusted(
        f"*{named} is stopped* · by {by(stop.by)} · {date(stop.at)}. {undos} Home shows it, and resumes it."
    )


# Why nothing was stopped or resumed.
def may_not(approvers: Sequence[str], verb: str = "stop") -> Trusted:
    """To who may neither stop nor resume that."""
    people = card_words.audience(approvers) if approvers else Trusted("those whom the policy names")
    return Trusted(f"Only {people} can {verb} that. Nothing has changed.")


NOT_A_MEMBER = Trusted("Only members of this workspace can stop or resume anything. Nothing has changed.")
SAME_PERSON = Trusted(
    "You stopped this: somebody else has to resume it, or the operator with `signoff resume`. Nothing has "
    "changed."
)
NOTHING_STOPPED = Trusted("That is not stopped any more: somebody has resumed it.")
NONE = Trusted("Nothing is stopped.")
TOO_MANY = Trusted(
    "Too much is stopped one by one. Stop more at once (*/approvals stop all*), or resume what that covers."
)


def held(stop: Stop) -> Trusted:
    """To who decides on what is stopped."""
    return Trusted(f"{holds(stop)}. Nothing has changed: somebody else can resume it, on Home.")


def no_such(asked: str) -> Trusted:
    """To `/approvals stop` of a name that is neither an agent's nor an action's."""
    return Trusted(
        f"Signoff knows no agent {_as_code(cut(asked, NAMED))}, and no action is called so. Write an agent's "
        "name, an action such as `refund.create` or `refund.*`, or `all`."
    )


def _as_code(name: str) -> Trusted:
    """A name in which nothing works: an action may hold a `*`."""
    return Trusted(f"`{escape(isolated(cut(visible(name), NAMED))).replace('`', chr(39))}`")
