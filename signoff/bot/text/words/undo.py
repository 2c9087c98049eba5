"""What is said of what somebody can still hold, before it runs, or undo, once it has."""

from __future__ import annotations

from signoff.bot.text.text import Trusted, date, is_id, mention
from signoff.bot.text.words.card import action_name, duration
from signoff.models.undone import TAKEN_SECONDS, VALID_SECONDS

HOLD = "Hold"
UNDO_MORE = "Undo…"
UNDO = "Undo"
SECOND = 1_000_000
NEVER_TRIED = Trusted("*Undo was never tried*")
"""Nobody knows whether it works: the agent's own test of it has not passed."""


# Before it runs.
def allows(runs_at: int | None, after: int) -> Trusted:
    """What happens unless somebody acts; `runs_at` is None until its card was shown, `after` in seconds."""
    if runs_at:
        return Trusted(f"*Policy allows this; runs {date(runs_at, 'time')} unless held*")
    return Trusted(f"*Policy allows this; runs {duration(after * SECOND)} after this was shown, unless held*")


def about(agent: str, code: str, people: Trusted) -> Trusted:
    """Whose it is, and who may hold it: nobody is asked."""
    return Trusted(f"{agent} · nobody has to decide · {people}, or its agent's owner, can hold it · {code}")


def will_run(agent: str, what: Trusted, told: Trusted) -> Trusted:
    """The first line of its top-level text."""
    return Trusted(f"{agent} will run {what} · {told.replace('*', '')}")


HOW_TO_HOLD = Trusted(f"Open the message to stop it: {HOLD} has somebody asked first.")


def listed(runs_at: int | None) -> Trusted:
    """In a list."""
    return Trusted(f"*runs {date(runs_at, 'time')} unless held*" if runs_at else "*runs unless held*")


LISTED_UNDONE = Trusted("*undone*")


def held_by(by_id: str) -> Trusted:
    """On what is asked about since somebody held it."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    return Trusted(f"*Held by {who}*: the policy would have let this run without asking.")


def nobody_held(at: int) -> Trusted:
    """It has run, or may: the policy let it."""
    return Trusted(f"*Approved by policy, and nobody held it* · {date(at)}")


def never_ran(at: int) -> Trusted:
    """Its time was over before it might run."""
    return Trusted(f"*The time ran out at {date(at)}*, before this might run. Nothing ran.")


IN_GRACE = Trusted(
    "Nobody is asked about this: the policy lets it run after a while. *Hold* it first, and decide then. "
    "Nothing has changed."
)


def held_already(by_id: str) -> Trusted:
    """To who holds what is held."""
    if not is_id(by_id):
        return Trusted("This waits for a decision already: the policy asks about it now. Nothing ran.")
    return Trusted(f"{mention(by_id)} holds this already: it waits for a decision. Nothing ran.")


def ran_unheld(at: int) -> Trusted:
    """To who holds it when its time is over."""
    when = f" at {date(at, 'time')}" if at else ""
    return Trusted(
        f"Too late to hold: the policy allowed this, nobody held it in time, and so it was let run{when}."
    )


def not_holder(people: Trusted) -> Trusted:
    """To a member who may not hold it."""
    return Trusted(f"Only {people}, or its agent's owner, can hold this.")


def not_undoer(people: Trusted) -> Trusted:
    """To a member who may not undo it."""
    return Trusted(f"Only {people} can undo this.")


# Once it has run.
def can_be_undone(until: int) -> Trusted:
    """While the button stands."""
    return Trusted(f"Can be undone here until {date(until, 'time')}")


def undo_later(agent: str) -> Trusted:
    """Before anything is reported: nobody knows what would have to be undone."""
    return Trusted(f"Can be undone here once {agent} has reported that it ran")


def missing(reference: str) -> str:
    """Where a value is not known that the policy's undo is made of; visible text."""
    whose = "its result has" if reference.startswith("$result") else "its payload has"
    name = reference.partition(".")[2] or "anything"
    return f"No undo here: {whose} no {name}."


def being_undone(by_id: str, at: int) -> Trusted:
    """Somebody pressed it, and nothing has become of that yet."""
    return Trusted(f"*Being undone{_by(by_id)}* · {date(at)}")


def undone(by_id: str, at: int) -> Trusted:
    """The agent says that it is undone."""
    return Trusted(f"*Undone* {date(at, 'time')}{_by(by_id)}")


def undo_failed(by_id: str, at: int) -> Trusted:
    """The agent says that it could not."""
    return Trusted(f"*The undo failed* {date(at, 'time')}{_look(by_id)}")


def untaken(by_id: str, owner: str) -> Trusted:
    """No process of the agent's has taken it."""
    return Trusted(f"*Nobody took the undo{_by(by_id)} within {TAKEN_SECONDS} s*{_look(owner)}")


def unreported(by_id: str, at: int, owner: str) -> Trusted:
    """A process of the agent's has taken it, and nothing was heard of it since."""
    return Trusted(f"*The undo was taken {date(at, 'time')}, never reported{_by(by_id)}*{_look(owner)}")


def unreported_reply(owner: str) -> Trusted:
    """The same, in the card's thread."""
    who = mention(owner) if is_id(owner) else "Whoever runs this agent"
    return Trusted(
        f"{who}, please have a look: the agent took this undo and never said what became of it. It may have "
        "run, and nobody else runs it."
    )


def untaken_reply(owner: str) -> Trusted:
    """The same, in the card's thread."""
    who = mention(owner) if is_id(owner) else "Whoever runs this agent"
    return Trusted(
        f"{who}: nobody took this undo within {TAKEN_SECONDS} s, so it is not undone yet. The agent's "
        f"process has to run; it takes it when it comes back within {VALID_SECONDS // 60} minutes."
    )


def failed_reply(by_id: str) -> Trusted:
    """The undo failed, in the card's thread."""
    who = f"{mention(by_id)}: the" if is_id(by_id) else "The"
    return Trusted(f"{who} undo failed. What was done may still stand: please have a look.")


# The form.
def title(action: str) -> Trusted:
    """Above the undo's payload."""
    return Trusted(f"Undoing runs {action_name(action)} with exactly this:")


def undoes(what: Trusted, agent: str, ran_at: int, code: str) -> Trusted:
    """The first line of the form: what it is that this undoes."""
    return Trusted(f"*This undoes {what}* · {agent} · ran {date(ran_at)} · {code}")


def of_agent(agent: str, places: str) -> str:
    """Of values that come from the result; `places` is visible text."""
    return f"{places}: as {agent} reported it, its word alone."


TRIED_NOT = Trusted(
    "*This undo was never tried*: the agent's own test of it has not passed. Nobody knows whether it works."
)
TOO_LARGE = Trusted("What undoes this is too large to be shown whole, so it cannot be undone here.")
ONCE = Trusted("It can be undone once. You approve it by this click.")


def refused(why: str, detail: str, at: int) -> Trusted:
    """Why there is nothing to be undone; `detail` is visible and escaped."""
    return {
        "nothing": Trusted("The policy names nothing that undoes this. Nothing has changed."),
        "unreported": Trusted("The agent has not reported yet that this ran: there is nothing to undo yet."),
        "failed": Trusted("This failed, as its agent reported: nobody knows what would have to be undone."),
        "over": Trusted(f"The time to undo this was over at {date(at, 'time') if at else 'its end'}."),
        "several": Trusted("Undoing this takes more than one person: have its agent ask for that."),
        "missing": Trusted(f"This cannot be undone here: {detail or 'a value'} is not known."),
    }[why]


def undone_already(by_id: str, at: int, is_done: bool) -> Trusted:
    """To who presses it as well."""
    who = mention(by_id) if is_id(by_id) else "somebody"
    if is_done:
        return Trusted(f"This was undone already, by {who} at {date(at, 'time')}. Nothing else happened.")
    return Trusted(f"This is already being undone, by {who} since {date(at, 'time')}. Nothing else happened.")


UNDO_BLOCKED = Trusted("The policy blocks what would undo this. Nothing has changed.")


def _by(by_id: str) -> str:
    return f" by {mention(by_id)}" if is_id(by_id) else ""


def _look(by_id: str) -> str:
    return f" · {mention(by_id)}, please have a look" if is_id(by_id) else ""
