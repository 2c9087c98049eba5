"""What admins are told, and what a conversation is told of an agent that asks too much."""

from __future__ import annotations

import re
from collections.abc import Sequence

from signoff.bot.text.text import Trusted, date, escape, visible
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval

# For admins, when Slack refuses a card.
_MARKUP = re.compile(r"[^A-Za-z0-9 .,:;/_()'-]")


def admin_cannot_show(approval: Approval, code: str, detail: str) -> Trusted:
    """To an admin: which request nobody can see, and what Slack says; without what could be markup in it.

    Other requests may meet the same fault: nobody is told of it again.
    """
    named = card_words.action_name(approval.action)
    what = f"{approval.agent} asks: {named}, but Slack refuses to show its card."
    said = _MARKUP.sub("", detail or code)[:500].strip()
    why = f" Slack says: {said}{'' if said.endswith('.') else '.'}" if said else ""
    if not approval.pending:
        return Trusted(f"{what}{why} It is {approval.status}, and stays so; its card shows that once it can.")
    return Trusted(
        f"{what}{why} Until this is mended nobody can decide it; it ends {date(approval.expires_at)}. "
        "The same goes for others that meet this fault."
    )


def admin_groups_unread(groups: Sequence[str], why: str) -> Trusted:
    """To an admin: nobody can decide as a member of these user groups; and what to do."""
    return Trusted(
        f"Nobody can decide as a member of {card_words.audience(groups)}: Slack does not say who that is, "
        f"because {why}. Name people by their ids in its place, in the policy or in "
        "SIGNOFF_APPROVERS. `signoff doctor` names every group that this concerns."
    )


def admin_bad_policy(faults: Sequence[str]) -> Trusted:
    """To an admin: the policy's file was changed and cannot be used. `faults` name files, lines and rules."""
    found = [escape(visible(fault)).replace("`", "'") for fault in faults[:10]]
    shown = "\n".join(f"• `{fault}`" for fault in found)  # as code, where `*` and `:12:` are themselves
    more = f"\n… and {len(faults) - 10:,} more." if len(faults) > 10 else ""
    return Trusted(
        f"The policy file cannot be used, so the policy from before stays in force. Mend it:\n{shown}{more}"
    )


def admin_faults(faults: Sequence[str]) -> Trusted:
    """To an admin: what is wrong, and needs somebody."""
    return Trusted(
        "Signoff needs a look:\n" + "\n".join(f"• {escape(visible(fault))}" for fault in faults[:10])
    )


def too_much(agent: str, kind: str, most: int, until_: int) -> Trusted:
    """To a channel, once in a while: an agent is over a limit of the policy's."""
    if kind == "pending":
        waits = "One of its requests waits" if most == 1 else f"{most:,} of its requests wait"
        return Trusted(
            f"*{agent} asks for too much.* {waits} for a decision, as many as the policy lets wait: more are "
            "refused until one is decided."
        )
    if kind == "questions":
        may = "one question" if most == 1 else f"{most:,} questions"
        return Trusted(
            f"*{agent} asks too many questions.* It may ask {may} in any hour, and has: more are refused "
            f"until {date(until_, 'time')}."
        )
    often = "once" if most == 1 else f"{most:,} times"
    return Trusted(
        f"*{agent} asks for too much.* It may ask {often} in any hour, and has: more are refused until "
        f"{date(until_, 'time')}."
    )
