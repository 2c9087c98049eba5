"""What stands around a question of an agent's: on its card, in its forms, and after its answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as Day

from signoff.bot.text.quotes import code, quoted
from signoff.bot.text.text import Trusted, is_id, mention
from signoff.bot.text.words import card as card_words
from signoff.models.questions import Why

SAFETY = "Your answer lets nothing run. Never type passwords or codes here."
"""Above the buttons of every card and form that answers."""

# Buttons and titles. Slack: a title or a submit holds 24 characters.
ANSWER = "Answer"
ANSWER_MORE = "Answer…"
NONE_MORE = "None of these…"
NONE = "None of these"
DECIDE = "You decide"
HAND_MORE = "Hand to…"
HAND = "Hand to somebody"
HAND_SUBMIT = "Hand over"

WHY: dict[Why, str] = {
    "ambiguous": "It found several that fit.",
    "conflict": "Its sources contradict each other.",
    "failed": "What it tried did not work.",
    "scope": "It does not know how far it may go.",
    "preference": "It wants to know what you prefer.",
    "other": "It needs to know something.",
}
"""Why it asks, which is the agent's word for it."""

# The card.
ASKS = "The agent asks"
ANSWERS = "Answers to choose from:"
TRIED = "What it tried"
FAILED = "failed"
SAYS_NOTHING = "(nothing)"
FOLDED = f"Not all of it stands here: {ANSWER_MORE} shows everything."
CUT = "… not all of it fits here"
UNREADABLE = "This question cannot be shown: what is stored of it is no question any more."


def heading(agent: str) -> str:
    """The header, in every state."""
    return f"{agent} has a question"


def says(source: str) -> str:
    """Over what a source says; its name is visible text."""
    return f"{quoted(source)} says:"


def you_decide(agent: str, default: str) -> str:
    """What *You decide* means; `default` is visible text."""
    return f"{DECIDE}: {agent} goes on with {quoted(default)}, its own choice."


def looks_ours(places: Sequence[str]) -> str:
    """Where texts of the agent's read as our own words: `answer 1`, `source 2`, `title`."""
    by_kind: dict[str, list[str]] = {}
    for place in places:
        kind, _, number = place.rpartition(" ")
        by_kind.setdefault(kind or place, []).append(number if kind else "")
    named = [f"{kind}{'s' * (len(found) > 1)} {_all(found)}".strip() for kind, found in by_kind.items()]
    told = _all(named)
    many = len(places) > 1
    verb, whose = ("read", "they are") if many else ("reads", "it is")
    let = "let" if many else "lets"
    start = told[0].upper() + told[1:]
    return f"{start} {verb} like words of Signoff: {whose} the agent's text, and {let} nothing run."


def _all(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def looks_alike(one: int, text: str, other: int, other_text: str) -> str:
    """Two options that look the same; their texts are exact, without what cannot be seen."""
    return f"Answers {one} and {other} look alike: {code(text)} and {code(other_text)}."


# Forms.
CHOOSE = "Choose one"
CHOOSE_SEVERAL = "Choose one or more"
DATE = "A date"
WORDS = "In your own words"
WORDS_BESIDE = "Or in your own words"
WORDS_HINT = "The agent reads this, and it is kept with the answer."
NONE_LABEL = "What is right instead"
NONE_HINT = "The agent reads this in place of an answer."
HAND_LABEL = "Who should answer this"
HAND_HINT = "Somebody who may answer it. They are told in the card's thread; you still can answer, too."
NOTHING_SAID = "Choose an answer, or say it in your own words."
NOTHING_CHOSEN = "Choose an answer."
NOTHING_DATED = "Choose a date."
NOTHING_TYPED = "Say it in a few words."
CHOOSE_SOMEBODY = "Choose somebody."
NOT_THEM = "They may not answer this: the policy does not name them."
TOO_LONG = "At most 3,000 characters."


# Afterwards: before what was answered.
LEFT_TO_AGENT = "You decide; the agent's own choice"
NONE_FITS = "None of these"


def day(text: str) -> str:
    """A date as ISO 8601 has it, with its day of the week."""
    try:
        return f"{text} ({Day.fromisoformat(text):%A})"
    except ValueError:
        return text


def asks(agent: str, question: str, ends: int, now: int | None) -> Trusted:
    """The first line of a notification; `question` is made safe for mrkdwn."""
    return Trusted(f"{heading(agent)}: {question} · {card_words.until(ends, now)}")


def asks_whom(audience: Trusted, code_: str) -> Trusted:
    """Under the first line, for who hears it read."""
    return Trusted(f"A question to {audience} · {code_}")


def how(buttons: Sequence[str]) -> str:
    """The last line for who hears it read: what can be pressed, as visible texts."""
    return f"Open the message to answer: {', '.join(buttons)}, {card_words.DETAILS_MORE}"


# Said privately.
def not_asked(audience: Trusted) -> Trusted:
    """For a member who is not asked."""
    return Trusted(f"Only {audience} can answer this.")


ANSWERED = "Answered"
ANSWER_RECORDED = Trusted("*The agent is told that it is for it to decide.* You can close this.")
ANSWERS_ONLY = Trusted(
    "This is a question: it is answered, and neither approved nor rejected. Nothing has changed. "
    f"*{ANSWER_MORE}* on its card shows all of it."
)
NOT_BY_WORDS = Trusted(
    f"*Answering by words is not possible here*: the agent is told nothing. *{ANSWER_MORE}* shows all of it."
)
NOT_A_QUESTION = Trusted("This is no question: it is approved or rejected, and not answered.")
NOT_USED = "What you had typed was not used:"


def _who(user_id: str) -> str:
    return mention(user_id) if is_id(user_id) else "somebody"
