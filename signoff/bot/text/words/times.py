"""What is said of time: who is asked now and who later, in whose place, and since when more people are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from signoff.bot.text.quotes import isolated
from signoff.bot.text.seating import asked_of
from signoff.bot.text.text import Trusted, date, escape, is_id, mention, sentence, visible
from signoff.bot.text.words import summaries
from signoff.bot.text.words.card import audience, duration
from signoff.bot.text.words.spoken_reply import Spoken
from signoff.models.approval import Approval
from signoff.models.people import MEMBERS
from signoff.models.presence import Later, StandIn

SECOND = 1_000_000
HAND_LABEL = "Who should decide this"
HAND_HINT = "Somebody who may decide it. They are told in the card's thread; you still can decide, too."
MOST_NAMED = 8
"""People whom one line names."""


def people(approval: Approval) -> Sequence[str]:
    """Whom its card mentions: those who can be pinged now."""
    return approval.called.people if approval.called else asked_of(approval)


def lines(approval: Approval) -> Iterator[Trusted]:
    """What a card tells of who is asked, beside who it is; a line each, of what waits."""
    verdict, called = approval.verdict, approval.called
    if called:
        if called.later:
            yield quiet(called.later)
        if called.stand_ins:
            yield in_place(called.stand_ins)
    if verdict.added:
        yield also_asked(verdict.added, verdict.escalated)
    if approval.handed_to:
        yield handed(approval.handed_to, approval.handed_by or "")
    if verdict.times.valid is not None:
        yield holds(verdict.times.valid)


def quiet(later: Sequence[Later]) -> Trusted:
    """Who is pinged when: their quiet hours are now."""
    told = []
    for at, those in groupby(sorted(later, key=lambda one: (one.at, one.id)), key=lambda one: one.at):
        named = [_name(one.name) for one in those]
        told.append(f"{_listed(named)} {'is' if len(named) == 1 else 'are'} pinged {date(at)}")
    return Trusted(f"*Quiet hours*: {' · '.join(told)}")


def in_place(stand_ins: Sequence[StandIn]) -> Trusted:
    """Who decides in whose place, until when."""
    told = (
        f"*{mention(one.deputy) if is_id(one.deputy) else 'Somebody'} for {_name(one.name)}*, "
        f"away until {date(one.until)}"
        for one in stand_ins[:MOST_NAMED]
    )
    more = f" · and {len(stand_ins) - MOST_NAMED} more" if len(stand_ins) > MOST_NAMED else ""
    return Trusted(" · ".join(told) + more)


def also_asked(added: Sequence[str], after: int) -> Trusted:
    """Who is asked, too, by the policy's names, and why."""
    named = [_policy_name(one) for one in added[:MOST_NAMED]]
    return Trusted(f"*Also asked: {_listed(named)}*, as nobody had decided within {duration(after * SECOND)}")


def handed(to: str, by: str) -> Trusted:
    """Who has handed it to whom: both are ids."""
    return Trusted(f"*Handed to {_who(to)}* by {_who(by)}")


def holds(valid: int) -> Trusted:
    """How long an approval holds."""
    return Trusted(f"Once approved it has to run within {duration(valid * SECOND)}")


def voted_in_place(by_id: str, deputy_for: str | None) -> Trusted:
    """To who votes, where somebody of the two, a person who is away and their deputy, has voted already."""
    if deputy_for:
        return Trusted(
            f"{_who(by_id)} has voted for {_who(deputy_for)} already, and that vote counts once: "
            "they can take it back. Nothing has changed."
        )
    return Trusted(
        f"{_who(by_id)} has voted themselves already, and that vote counts once. Nothing has changed."
    )


# In the card's thread.
def called(approval: Approval, said: Mapping[str, Any]) -> Spoken | None:
    """Somebody is reminded, or asked as well; nothing is said of what has ended meanwhile."""
    if not approval.pending:
        return None
    who = audience([one for one in said["people"] if is_id(one)])
    waited = duration(int(said["after"]) * SECOND)
    first = {
        "remind": f"{who}: this has waited for you for {waited}",
        "escalate": f"{who}: nobody has decided this within {waited}, so more people are asked now. "
        "Whoever was asked before still can",
        "asked": f"{who}: this waits for you; it came in your quiet hours",
    }[said["why"]]
    until = f"Its time ends {date(approval.expires_at)}."
    return Spoken(Trusted(f"{first}. {until}{_beside(said.get('more') or {})}"))


def handed_reply(approval: Approval, said: Mapping[str, Any]) -> Spoken | None:
    """`to` and `by` are people's ids; nothing is said of what has ended meanwhile."""
    if not approval.pending:
        return None
    asked = "answer" if approval.request.kind == "question" else "decide"
    who, by = _who(said["to"]), _who(said["by"])
    return Spoken(Trusted(f"{who}, {by} asks you to {asked} this. Whoever else was asked still can."))


def _beside(more: Mapping[str, int]) -> str:
    """How much else waits for whom."""
    told = [
        f"{summaries.count(count, 'more request')} for {mention(one)}"
        for one, count in list(more.items())[:MOST_NAMED]
        if is_id(one)
    ]
    if not told:
        return ""
    waits = "waits" if len(told) == 1 and 1 in more.values() else "wait"
    return f" Beside it {_listed(told)} {waits}: `/approvals` lists them."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _name(name: str) -> str:
    """What somebody calls themselves, who is not to be pinged."""
    return sentence(isolated(visible(name)[:80]))


def _policy_name(name: str) -> str:
    if name == MEMBERS:
        return "any member of this workspace"
    return mention(name) if is_id(name) else escape(name)


def _who(user_id: str) -> str:
    return mention(user_id) if is_id(user_id) else "somebody"
