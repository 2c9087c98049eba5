"""What stands in lists, on Home, in `/approvals`, and in a run's first message."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.quotes import quoted
from signoff.bot.text.text import Trusted, call, date
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import summaries


# The first message of a run's thread.
def thread_title(agent: str) -> str:
    """Its header, unless one request alone is waited for: then that is what the header says."""
    return f"Requests of {agent}, one run"


def run_named(run: str) -> str:
    """What the agent calls its run; `run` is visible text."""
    return f"The agent calls this run {quoted(run)}."


def thread_begins(agent: str, first: Trusted) -> Trusted:
    """The top-level text as it is posted; `first` is what the run begins with."""
    return Trusted(f"{agent} begins a run with {first}\nEach of its requests stands in this thread.")


def thread_for(approvers: Sequence[str]) -> Trusted:
    """Who may decide, as it is posted: that is what notifies them."""
    return Trusted(f"{card_words.audience(approvers)}: each request stands in this thread, with its buttons.")


def thread_tally(waiting: int, decided: int, undecided: int) -> Trusted:
    """How many requests of a run wait and are decided; `undecided` ended without anybody's decision."""
    waits = summaries.count(waiting, "request waits", "requests wait") if waiting else "Nothing waits"
    ended = f" · {undecided:,} ended without a decision" if undecided else ""
    return Trusted(f"*{waits}* · {decided:,} decided{ended}")


def thread_waits(told: Trusted, approvers: Sequence[str]) -> Trusted:
    """The tally and who may decide, while something waits."""
    return Trusted(f"{told}\n{card_words.audience(approvers)}: open the thread to decide.")


def thread_elsewhere(permalink: str | None) -> Trusted:
    """On a first message that was posted beside another one."""
    return Trusted(
        f"The requests of this run stand in <{permalink}|another thread>."
        if permalink
        else "The requests of this run stand in another thread."
    )


def thread_text(agent: str, told: Trusted) -> Trusted:
    """The top-level text as it is edited."""
    return Trusted(f"Requests of {agent}, one run: {told.replace('*', '')}.")


def thread_asks(agent: str, asked: Sequence[Trusted], told: Trusted) -> Trusted:
    """The same while few wait: `asked` is what each of them is."""
    return Trusted("\n".join([f"{agent} asks for {asked[0]}", *asked[1:], f"{told.replace('*', '')}."]))


# Lists and help.
LIST_TITLES = {"pending": "Waiting for you", "mine": "Decided by you", "history": "History"}
HOME_TITLES = {"pending": "Waiting for you", "mine": "Decided by you", "owned": "Asked by your agents"}
SEE_ALL = "See all…"
SEE_HISTORY = "History…"
NOTHING_WAITS = Trusted("Nothing waits for you.")
NOTHING_DECIDED = Trusted("You have decided nothing yet.")
NOTHING_HAPPENED = Trusted("There is no request yet.")
NOTHING_FOUND = Trusted(
    "There is none of that agent or action. Write it as on the card: */approvals history refund.create*."
)
HOME_HELP = Trusted("*Review…* shows everything that will run. */approvals help* says what else there is.")


def heading(kind: str, count: int, page: int, pages: int, about: str = "") -> str:
    """Over a page of a list; `count` is of all pages of what waits, else of this page."""
    place = (
        f" · {forms_words.page_of(page, pages).lower()}"
        if pages > 1
        else f" · page {page}"
        if page > 1
        else ""
    )
    what = f" of {about}" if about else ""
    requests = f"{summaries.count(count, 'request')}{what}"
    if kind == "pending":
        wait = "waits" if count == 1 else "wait"
        return f"{requests} {wait} for you, oldest first{place}"
    return f"{requests}, newest first{place}"


def nothing(kind: str, about: str) -> Trusted:
    """In place of an empty list."""
    if kind == "pending":
        return Trusted("Nothing of that agent or action waits for you.") if about else NOTHING_WAITS
    if kind == "mine":
        return NOTHING_DECIDED
    return NOTHING_FOUND if about else NOTHING_HAPPENED


def and_more(count: int) -> str:
    """Under the first of a list; 0 where nobody counted the others."""
    if not count:
        return "There are more."
    return f"{summaries.count(count, 'more waits', 'more wait')} for you."


def listed(
    agent: str, ends: int, now: int | None, link: str, *, undo: str = "", code: str = "", left: str = ""
) -> Trusted:
    """Under what waits; `link` is the card's address, checked, or empty; `undo` and `left` our own words."""
    said = [f"{agent} asks", *([f"*{undo}*"] if undo else []), card_words.until(ends, now), left, code]
    return Trusted(" · ".join(part for part in said if part) + _opens(link))


def listed_batch(agent: str, until: Trusted, link: str) -> Trusted:
    """Under a batch of which several wait."""
    return Trusted(f"{agent} asks together · {until}{_opens(link)}")


def listed_batch_over(agent: str, counts: Trusted, failed: int, at: int, link: str) -> Trusted:
    """Under a batch, how many of it ended how; `at` is when it was asked, or decided by who reads this."""
    went_wrong = f"*{failed:,} failed*" if failed else ""
    return Trusted(" · ".join(part for part in (agent, counts, went_wrong, date(at)) if part) + _opens(link))


def listed_after(agent: str, state: Trusted, link: str, code: str = "") -> Trusted:
    """Under what waits no more."""
    return Trusted(" · ".join(part for part in (agent, state, code) if part) + _opens(link))


def expired(at: int) -> Trusted:
    """Nobody decided in time, in a list."""
    return Trusted(f"*Nobody answered* · {date(at)}")


def withdrawn(at: int) -> Trusted:
    """Cancelled by its agent, in a list."""
    return Trusted(f"*Withdrawn by the agent* · {date(at)}")


def blocked(at: int) -> Trusted:
    """Refused by the policy, in a list."""
    return Trusted(f"*Blocked by policy* · {date(at)}")


def by_policy(why: str, reason: str) -> str:
    """Under a request that nobody was asked about: what of the policy decided, and what it says of it."""
    return f"Policy: {why}. {reason}".strip()


def _opens(link: str) -> str:
    return f" · <{link}|open the card>" if link else ""


def help_text(app: str) -> Trusted:
    """What `/approvals help` answers; `app` is the app's user id."""
    me = call(app)
    return Trusted(
        "*/approvals* or */approvals pending* lists what you may decide, oldest first. *Review…* shows "
        "everything that will run, and its last page approves.\n"
        "*/approvals mine* lists what you decided, newest first.\n"
        "*/approvals show 7F3K2Q* shows one request, by the code that stands on its card.\n"
        "*/approvals history* lists every request, newest first; for approvers, an agent's owner and "
        "admins.\n"
        "After *pending* and *history* you may name an agent or an action.\n"
        "*/approvals factor* shows your authenticator app, or enrols one: some approvals take its codes.\n"
        "*/approvals away until Friday 9:00 deputy @ben* has somebody decide in your place, of those whom "
        "the policy lets; */approvals back* ends it.\n"
        "*/approvals stop* stops an agent, an action or everything: */approvals stop billing-bot*. "
        "*/approvals resume* shows what is stopped; somebody else than who stopped it resumes it.\n"
        "*/approvals help* shows this.\n"
        f"In a card's thread: {me} *pending*, {me} *reject* and a reason, {me} *help*. In the menu of "
        "any card's message: *Decide…*.\n"
        "On a card: *Approve* runs exactly what the card shows. *Reject…* asks for a reason and tells the "
        "agent. *Edit…* changes the request first and shows the difference before anything runs. A request "
        "that nobody answers runs nothing.\n"
        "On a question: one of its answers, *Answer…*, *None of these…*, *You decide* where the agent has a "
        "choice of its own, or *Hand to…* somebody else who may. An answer lets nothing run."
    )


NOT_LOOKED_UP = Trusted("Signoff could not look that up. Try again in a moment.")
NOT_FOR_HISTORY = Trusted("Only approvers, an agent's owner and admins can see the history.")
NO_SUCH = Trusted("Signoff knows no such request. Its code stands on its card, such as *7F3K2Q*.")
NO_ID = Trusted(
    "Give a request's code, which stands on its card: */approvals show 7F3K2Q*; or its id, or at least the "
    "first 8 characters of that."
)
AMBIGUOUS = Trusted("Several requests begin so. Give more of the code, or of the id.")


def may_not_see(approvers: Sequence[str]) -> Trusted:
    """For a member who asks for a request that is none of theirs."""
    return Trusted(f"Only {card_words.audience(approvers)}, its agent's owner and admins can see this.")


def more_wait(count: int) -> Trusted:
    """After as many as one answer names."""
    return Trusted(f"{count:,} more: */approvals* lists all that waits for you.")
