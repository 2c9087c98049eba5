"""What people read of seats and votes: who has voted, whom it waits for, and whose vote counts no more."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.text import Trusted, is_id, mention
from signoff.models.people import MEMBERS

TAKE_BACK = "Take my vote back"
HAS_APPROVED = Trusted("Your vote stands already. Until the last one is given you can take it back.")
HAS_REJECTED = Trusted("You have said no. Take that back first: then you can approve it.")
HAS_NOT_VOTED = Trusted("There is no vote of yours to take back.")
PROPOSE_CHANGES = "Propose changes"
PROPOSES = "Nobody approves their own changes here: somebody else decides on them."
MAY_PROPOSE = (
    "At this risk nobody approves their own changes, if somebody else can: then they decide on them."
)
_PARTIES = {"owner": "own its agent", "requester": "are whom it asks for", "editor": "have changed it"}


def label(named: Sequence[str], *, within: bool = False) -> Trusted:
    """A seat by whom the policy names for it; `within` a sentence groups keep their small letters."""
    found = [_named(one) for one in named]
    said = " or ".join(found) if found else "approvers"
    return Trusted(said if within or said.startswith("<") else said[:1].upper() + said[1:])


def _named(one: str) -> str:
    if one == MEMBERS:
        return "any member"
    return mention(one) if is_id(one) else one.replace("_", " ")


def seat(named: Sequence[str], need: int, voters: Sequence[str]) -> Trusted:
    """One seat: who has filled it, and how many it takes."""
    people = ", ".join(who(one) for one in voters)
    if need == 1:
        return Trusted(f"{label(named)}: {people or '0 of 1'}")
    return Trusted(f"{label(named)}: {len(voters)} of {need}{f', {people}' if people else ''}")


def who(user_id: str) -> Trusted:
    """Somebody, as a mention."""
    return mention(user_id) if is_id(user_id) else Trusted("somebody")


def waits_for(seats: Sequence[Sequence[str]]) -> Trusted:
    """Whose votes are still missing."""
    return Trusted(f"waits for {' and '.join(label(one, within=True) for one in seats)}")


def to_reject(need: int) -> Trusted:
    """How many have to reject it."""
    return Trusted(f"It takes {need} to reject it.")


def said_no(user_id: str) -> Trusted:
    """Before somebody's reason, or without one."""
    return Trusted(f"{who(user_id)} said no")


def void(user_id: str, why: str, editor: str) -> Trusted:
    """Whose vote counts no more, and why."""
    if why == "edited":
        return Trusted(f"{_whose(user_id)} vote is void: {who(editor)} changed it.")
    return Trusted(f"{_whose(user_id)} vote is void: they may not decide on it any more.")


def _whose(user_id: str) -> str:
    return f"{who(user_id)}'s"


def changed(editor: str) -> Trusted:
    """Who changed what waits."""
    return Trusted(f"*Changed by {who(editor)}* since the agent asked.")


def cannot(people: Sequence[tuple[str, str]], agent: str) -> Trusted:
    """Who may not approve it, each with what they are of it."""
    why = {"requester": f"{agent} says that it asks for them", "editor": "they changed it"}
    told = ", ".join(f"{who(one)} ({why[party]})" for one, party in people)
    return Trusted(f"Not theirs to approve: {told}.")


def excluded(parties: Sequence[str]) -> Trusted:
    """Why somebody may not approve what they may reject."""
    told = " and ".join(_PARTIES[one] for one in parties)
    return Trusted(f"You {told}: somebody else has to approve it. You can reject it.")


def not_needed(seats: Sequence[str]) -> Trusted:
    """That a seat is taken."""
    names = [one.split(", ") for one in seats if one]
    return Trusted(f"What you could fill is taken: it {waits_for(names) if names else 'is decided'}.")


def your_vote(number: int, of: int) -> str:
    """On top of the question that Approve asks."""
    return f"Your vote, {number} of {of}."


def progress(voted: int, of: int) -> str:
    """In a list's row."""
    return f"{voted} of {of}"


def handed_over(editor: str, permalink: str | None) -> Trusted:
    """Where a card stood whose changes others decide on."""
    where = (
        f"<{permalink}|Its card stands there now>" if permalink else "Its card stands in their conversation"
    )
    return Trusted(f"*Handed over:* {who(editor)} changed it, and others decide on that. {where}.")
