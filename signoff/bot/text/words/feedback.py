"""What people read where they are asked whether something was right, and over what an agent shows."""

from __future__ import annotations

from collections.abc import Mapping

from signoff.bot.text.text import Trusted, date, is_id, mention
from signoff.bot.text.words import card as card_words

GAVE = "The agent says it gave"
"""Above the result of what ran."""
SHOWS = "The agent says this is its result"
"""Above the result of a task that needed no approval."""
ASKS = "Was this right?"
RIGHT, PARTLY_MORE, WRONG_MORE = "Right", "Partly…", "Wrong…"
BUTTONS: Mapping[str, str] = {"right": RIGHT, "partly": PARTLY_MORE, "wrong": WRONG_MORE}
"""By the answer."""
SAID: Mapping[str, str] = {"right": "Right", "partly": "Partly right", "wrong": "Wrong"}
CORRECTION = "Correction"
ASK_NOTE = "Nothing runs by your answer; the agent learns from it."

# The form. Slack: a title or a submit holds 24 characters.
TITLES: Mapping[str, str] = {"partly": "Partly right", "wrong": "Wrong"}
LABEL = "What would have been right?"
HINT = "The agent reads it, without your name. It runs nothing. Never type passwords or codes here."
SUBMIT = "Tell the agent"
MISSING = "Say in a few words what would have been right."
TOO_LONG = "At most 3,000 characters."


CUT = f"Not all of it stands here: {card_words.DETAILS_MORE} has it."
"""Under a result that a card shows a part of."""


def heading(agent: str) -> str:
    """The header of what an agent asks by itself, in every state."""
    return f"{agent} shows a result"


def asks_of(number: int) -> str:
    """The question about one of a batch."""
    return f"Was {number} right?"


def of_one(number: int, said: Trusted) -> Trusted:
    """What somebody has said of one of a batch."""
    return Trusted(f"{number}: {said}")


def asks_whom(people: Trusted) -> Trusted:
    """Who can say, under the question."""
    return Trusted(f"{people} can say. {ASK_NOTE}")


def asks(agent: str, people: Trusted, code: str) -> Trusted:
    """The line under the header of what an agent asks by itself."""
    return Trusted(f"{agent} asks {people} · {code}")


def heard_whom(action: str, agent: str, people: Trusted, code: str) -> Trusted:
    """Under the first line, for who hears it read."""
    return Trusted(f"{card_words.action_name(action)}, {agent} asks {people} · {code}")


def how(details: bool) -> str:
    """The last line for who hears it read: what can be pressed."""
    buttons = [*BUTTONS.values(), *([card_words.DETAILS_MORE] if details else [])]
    return f"Open the message to say: {', '.join(buttons)}"


def given(answer: str, by_id: str, at: int | None) -> Trusted:
    """What somebody has said."""
    who = mention(by_id) if is_id(by_id) else "somebody"
    when = f" · {date(at)}" if at else ""
    return Trusted(f"*{SAID.get(answer, answer)}*, says {who}{when}")


def unsaid(until: int) -> Trusted:
    """Nobody has said, and nobody is asked any more."""
    return Trusted(f"*Nobody said by {date(until)}.* Nothing waits for it.")


def late(answer: str, by_id: str, at: int) -> Trusted:
    """Said privately: somebody was faster."""
    return Trusted(f"{given(answer, by_id, at).replace('*', '')}, before you. Nothing else happened.")


def not_asked(people: Trusted) -> Trusted:
    """Said privately to who was not asked."""
    return Trusted(f"Only {people} can say whether this was right.")


OVER = Trusted("This was asked for a week, and is not any more. Nothing has changed.")
