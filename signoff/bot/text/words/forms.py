"""What stands in forms, reviews and details."""

from __future__ import annotations

from signoff.bot.text.quotes import quoted
from signoff.bot.text.text import Trusted, date, is_id, mention
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import meaning as meaning_words
from signoff.bot.text.words import summaries
from signoff.models.approval import ApprovalStatus

APPROVE_CHANGES = "Approve these changes"
CLOSE = "Close"
CANCEL = "Cancel"
BACK = "Back"
NEXT = "Next"
SHOW_CHANGES = "Show changes"
CHECKING = "Checking…"
DETAILS = "Details"
YES = "Yes"
NO = "No"
KEEP = "Keep"
REMOVE = "Remove"
CHOOSE_ONE = "Choose one."
NOT_GIVEN = "Not given"
NOT_ADDED = "Nothing is added"
REMOVED = "Empty: removed"
EMPTY_CHOICE = "null (nothing)"
WITH_CHANGES = "Approve with these changes?"
AS_A_WHOLE = "What will run, as a whole"

# Forms.
NOTE_LABEL = "Note to the agent and the record"
REJECT_LABEL = "Which is it?"
REJECT_FINAL = "Don't do this"
REJECT_CHANGES = "Come back with changes"
REASON_LABEL = "Why, or what to change"
REASON_HINT = "The agent reads this, and it is kept with the decision."
REASON_MISSING = "Say in a few words why, or what to change."
REASON_TOO_LONG = "At most 3,000 characters."
NOTHING_CHANGED = "Nothing has changed. Change a field, or close this form."
NOT_EDITABLE = "not open to changes"
TOO_LONG_TO_EDIT = "too long to change here; it stays as it is"
BYTES_STAY = "a file or other bytes; it stays as it is"
CHANGES_TOO_LARGE = (
    "These changes are too long to approve together. Change less, or reject the request and ask the agent "
    "to come back with changes."
)
AS_JSON_ANY = "Written as JSON: it may hold values of several kinds."
AS_JSON_OPEN = "Written as JSON: nothing says what its parts are."
ONE_A_LINE = "One a line."
EMPTY_TEXT_HINT = 'Empty text is written as "".'
EMPTY_TEXT_PLACE = 'Write "" for empty text'
EMPTY_LIST_PLACE = "Write [] for an empty list"
ADDS_HINT = "Fill in to add one at the end."
MORE_ITEMS_STAY = "more than a form takes; they stay as they are"
NOT_A_MOMENT = "Choose a date and a time."
YOUR_ZONE = "Shown and chosen in your own time zone."
LEAVE_OUT = "Leave all of this out"
MAKE_NULL = "Set all of this to null (nothing)"
PICK = "Type to search"
FIELDS_LEFT = "There are more fields than a form takes: the others stay as they are."
DRAFT_TOO_LARGE = "That is more than one form can keep. Change less, or reject and ask for changes."
NOT_USED = "What you had typed was not used:"
WHAT_CHANGED = "What changed:"
UNCHANGED_REST = "All else runs as the card shows it."


def adds_item(place: str) -> str:
    """Over the fields of an item that can be added; `place` is visible text."""
    return f"{place}: one more. Fill in its fields to add it; leave all of them empty to add none."


def and_more(count: int) -> str:
    """After the place of the first item that is not opened: how many come after it."""
    return f"and {count:,} more" if count else ""


def not_given(default: str) -> str:
    """Under an input whose field the payload does not have; `default` is the schema's, visible text."""
    return f"N{meaning_words.not_given(default)[1:]}."


def not_given_choice(default: str) -> str:
    """The same as an option; Slack: 75 characters."""
    if not default:
        return NOT_GIVEN
    whole = f"N{meaning_words.not_given(default)[1:]}"
    return whole if len(whole) <= 75 else NOT_GIVEN


def agent_title(title: str) -> str:
    """A field's title, which is the agent's; `title` is visible text."""
    return f"The agent calls it {quoted(title)}."


def at_line(number: int, fault: str) -> str:
    """What is wrong with one line of a list."""
    return f"Line {number}: {fault}"


def fields_of(first: int, last: int, count: int) -> str:
    """Which fields a page of a form holds, counted from 1."""
    return f"Fields {first:,} to {last:,} of {count:,}. What you type on one page is kept on the next."


ESCAPES_HINT = "Characters that cannot be seen are written as \\u{202e}; leave them, or delete them."
CHECKING_TEXT = "One moment: Signoff is checking whether you may decide this."


def agent_hint(description: str) -> str:
    """A field's description, which is the agent's; `description` is visible text."""
    return f"The agent describes it so: {quoted(description)}"


def tell(agent: str) -> str:
    """The heading of the form that rejects."""
    return f"Tell {agent}"


# Forms that approve.
def runs_with(size: int) -> str:
    """Over the whole payload in the form that shows a difference."""
    return f"{AS_A_WHOLE} ({card_words.kilobytes(size)}):"


def page_of(page: int, pages: int) -> str:
    """Which page this is, counted from 1."""
    return f"Page {page} of {pages}"


def continued(of: int) -> str:
    """Over a page that goes on with what the one before began."""
    return f"… continued from page {of}"


def final(reversibility: str, source: str, action: str, values: str = "") -> str:
    """Over the submit of a form that approves: a submit cannot ask to confirm. `values` are one a line."""
    runs = f"{card_words.APPROVE} runs {action} with exactly this"
    if reversibility == "reversible":
        return f"{runs}."
    first = {"nobody": "Nobody said whether this can be undone."}.get(source)
    first = first or ("This is costly to undo." if reversibility == "costly" else "This cannot be undone.")
    return f"{first} {runs}:\n{values}" if values else f"{first} {runs}."


def read_on() -> str:
    """On a page that is not the last."""
    return f"{card_words.APPROVE} stands on the last page."


def only_decided(status: ApprovalStatus) -> str:
    """On the last page of something that waits no more."""
    return f"This is {status} already: there is nothing left to decide."


# Details: what happened, when.
def received(agent: str, at: int) -> Trusted:
    """The request arrived."""
    return Trusted(f"{date(at)} · Received from {agent}")


def shown(at: int) -> Trusted:
    """A card first showed it."""
    return Trusted(f"{date(at)} · Shown on a card")


def edited(at: int, by_id: str, values: int) -> Trusted:
    """An approver changed the payload."""
    by = f" by {mention(by_id)}" if is_id(by_id) else ""
    what = summaries.count(values, "value") if values else "nothing"
    return Trusted(f"{date(at)} · Edited{by}: {what} changed")


# Details: what else is known.
DETAIL_LABELS = {
    "id": "Approval",
    "request": "Request",
    "digest": "Payload, SHA-256",
    "sent": "As sent, SHA-256",
    "files": "Files in it",
    "version": "Payload version",
    "policy": "Policy's digest",
    "rule": "Policy's rule",
    "why": "Policy says",
    "sum": "Sum of a day",
    "risk": "Risk, claimed",
    "reversibility": "Reversibility, claimed",
    "tags": "Tags",
    "cost": "Cost, claimed",
    "confidence": "Confidence, claimed",
    "attempts": "Attempts so far",
    "run": "Run",
    "key": "Key",
}
NOT_SAID = "not said"
