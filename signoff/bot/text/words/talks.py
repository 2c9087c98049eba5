"""What people read of a talk with an agent: on the card, in its thread, in forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.text.text import Trusted, call, is_id, mention
from signoff.bot.text.words import summaries
from signoff.bot.text.words.spoken_reply import Spoken
from signoff.models.approval import Approval
from signoff.models.talks import Talk

ASK = "Ask"
ASK_MORE = "Ask the agent…"
CONVERSATION = "Conversation"
CONVERSATION_MORE = "Conversation…"
NEWER, OLDER = "Newer", "Older"
TALK = "Talk with the agent"
NOTES = "Notes for the agent"
QUESTION_LABEL = "Your question"
QUESTION_HINT = (
    "The agent gets it with your name, and its answer decides nothing. Never type passwords or codes here."
)
QUESTION_MISSING = "Write what you want to know."
SECRET = "This looks like a secret. Nothing was sent: take it out."  # nosec B105
NOTHING_TO_TELL = Trusted("Write what the agent is to know after the word.")
NEWEST_FIRST = "The agent's words, the newest first. Nobody has checked them."


def title(agent: str) -> str:
    """Of the form."""
    return f"Ask {agent}"


def asked(name: str) -> str:
    """Who asked; `name` is visible."""
    return f"{name} asked"


def answered(agent: str) -> str:
    """Above an answer."""
    return f"{agent} answered"


def waits(agent: str, talk: Talk) -> str:
    """What stands where an answer would: none of it is the agent's words."""
    match talk.state:
        case "asked":
            seconds = max((talk.until - talk.asked_at) // 1_000_000, 1)
            return f"Waiting for {agent}'s answer, up to {seconds} s"
        case "unheard":
            return f"{agent} is not listening for questions now."
        case "silent":
            return f"{agent} has not answered."
        case "unable":
            return f"{agent} cannot answer that."
        case "answered":
            return answered(agent)


def earlier(count: int) -> str:
    """Questions that the card does not show."""
    return f"{summaries.count(count, 'earlier question')} in Details…"


def turns(count: int, page: int, pages: int) -> str:
    """Above a page of a conversation."""
    place = f" · page {page} of {pages}" if pages > 1 else ""
    return f"{summaries.count(count, 'turn')}{place}. {NEWEST_FIRST}"


def too_many(agent: str, waiting: bool) -> Trusted:
    """Why nothing was asked."""
    why = "has three questions about this to answer already" if waiting else "was asked enough for now"
    return Trusted(f"{agent} {why}. Nothing was asked.")


TOO_MANY_NOTES = Trusted("This request has as many notes as it may have. Nothing was noted.")


def sent(agent: str, heard: bool) -> Trusted:
    """Said privately after `ask` in a thread."""
    if heard:
        return Trusted(f"{agent} is asked. Its answer will stand here and on the card, and decides nothing.")
    return Trusted(f"{agent} is asked, but is not listening for questions now: it may never answer.")


def noted(agent: str) -> Trusted:
    """The same after `note`."""
    return Trusted(f"Noted. {agent} gets it with the decision, with your name.")


def help_lines(app: str) -> Trusted:
    """What can be written to an agent, in a card's thread."""
    me = call(app)
    return Trusted(
        f"{me} *ask* and your question asks the agent; its answer comes here, and decides nothing.\n"
        f"{me} *note* and a text gives the agent that with the decision.\n"
    )


def in_thread(approval: Approval, said: Mapping[str, Any]) -> Spoken | None:
    """An answer, or that there is none, to whoever asked."""
    talk = next((one for one in approval.talks if one.id == said.get("talk")), None)
    if talk is None or talk.answered_at is None:
        return None
    who = mention(talk.by_id) if is_id(talk.by_id) else "Somebody"
    does = "cannot answer that" if talk.state == "unable" else "answers"
    return Spoken(
        Trusted(f"{who} asked, and *{approval.agent} {does}*. It decides nothing."),
        tuple(text for text in (talk.question, talk.answer) if text and text.strip()),
    )
