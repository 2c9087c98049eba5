"""Lists of requests as blocks: in a message, in a modal, and on App Home; pure. No list has an Approve.

What waits and may be decided by who reads it has **Review…**, all else **Details…**; both values are
`approval id:version`. The buttons to another page are `list_back` and `list_next`, and `list_all` opens a
list; their value holds all that the page needs: `kind:page:agent or action`.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import Any, assert_never, get_args

from signoff.approvals.lists import MOST_PAGES, Kind, Overview, Page
from signoff.bot.blocks import BUTTON_TEXT
from signoff.bot.cards.batch_after import ORDER, STATES
from signoff.bot.cards.stops import button, home_stops
from signoff.bot.text.heading import at_stake, way_in
from signoff.bot.text.memory import recalled
from signoff.bot.text.quotes import isolated
from signoff.bot.text.states import progress_line
from signoff.bot.text.text import Block, Trusted, cut, mrkdwn, plain, visible
from signoff.bot.text.views import modal, says
from signoff.bot.text.which import Which, titles
from signoff.bot.text.words import batches as batch_words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import lists as lists_words
from signoff.bot.text.words import progress as progress_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.text.words import undo as undo_words
from signoff.models.batch_lists import Folded
from signoff.models.lists import Listed

_LINK = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9/_.?=&%-]{1,500}")
_ABOUT = re.compile(r"[A-Za-z0-9_.:/@-]{0,100}")
"""An agent's name or an action."""


def list_blocks(page: Page, now: int) -> list[Block]:
    """A page as a message's or a modal's blocks. `now` is the database's clock in microseconds."""
    if not page.items:
        found = [says(lists_words.nothing(page.kind, page.about), "empty")]
    else:
        about = cut(visible(page.about), 100)
        count = page.total if page.kind == "pending" else page.shown
        text = lists_words.heading(page.kind, count, page.page, page.pages, about)
        found = [{"type": "context", "block_id": "list", "elements": [plain(text)]}]
        found += [*_together(page), *_items(page, now)]
    buttons = []
    if page.page > 1:
        buttons.append(_to_page("list_back", forms_words.BACK, page, page.page - 1))
    if page.more:
        buttons.append(_to_page("list_next", forms_words.NEXT, page, page.page + 1))
    return found + ([{"type": "actions", "block_id": "pages", "elements": buttons}] if buttons else [])


def list_view(page: Page, now: int) -> Block:
    """A page as a modal, whose Review… and Details… open on top of it."""
    return modal("list", lists_words.LIST_TITLES[page.kind], list_blocks(page, now))


def home_view(seen: Overview) -> Block:
    """App Home: what waits for a person first, then what they decided, then what they own.

    The same overview gives the same view, byte by byte: nothing in it depends on when it is drawn.
    """
    blocks = [*home_stops(seen.stops, seen.resumable), *_section(seen.waiting)]
    for page in (seen.decided, seen.owned):
        if page.items:
            blocks += [{"type": "divider"}, *_section(page)]
    told = says(lists_words.HOME_HELP, "help")
    if seen.can_stop:
        told["accessory"] = button("stop", stop_words.STOP_MORE, "home")
    return {"type": "home", "blocks": [*blocks, {"type": "divider"}, told]}


def read_page(value: Any) -> tuple[Kind, int, str]:
    """A button's value → (kind, page, agent or action); what is not ours → the first page of what waits."""
    kind, _, rest = str(value or "").partition(":")
    page, _, about = rest.partition(":")
    good = page.isascii() and page.isdigit() and len(page) < 6 and kind in get_args(Kind)
    if not good or not _ABOUT.fullmatch(about):
        return "pending", 1, ""
    return kind, min(max(int(page), 1), MOST_PAGES), about  # type: ignore[return-value]


def _section(page: Page) -> list[Block]:
    title = plain(lists_words.HOME_TITLES[page.kind])
    found: list[Block] = [{"type": "header", "block_id": f"title:{page.kind}", "text": title}]
    if not page.items:
        return [*found, says(lists_words.nothing(page.kind, ""), f"empty:{page.kind}")]
    found += [*_together(page), *_items(page)]
    if page.more:
        rest = lists_words.and_more(page.total - page.shown if page.kind == "pending" else 0)
        found.append({"type": "context", "block_id": f"rest:{page.kind}", "elements": [plain(rest)]})
        label = lists_words.SEE_ALL if page.kind != "owned" else lists_words.SEE_HISTORY
        kind = page.kind if page.kind != "owned" else "history"
        every = {"type": "button", "action_id": "list_all", "text": plain(label), "value": f"{kind}:1:"}
        found.append({"type": "actions", "block_id": f"all:{page.kind}", "elements": [every]})
    return found


def _together(page: Page) -> list[Block]:
    """What may be looked through at once: how many, and of which action where there are others."""
    buttons = []
    for number, one in enumerate(page.together):
        label = batch_words.review_together(one.count, "" if one.count == page.total else one.action)
        name, value = f"batch_together_{number}", f"{one.named}:1"
        buttons.append(
            {"type": "button", "action_id": name, "text": plain(cut(label, BUTTON_TEXT)), "value": value}
        )
    return [{"type": "actions", "block_id": f"together:{page.kind}", "elements": buttons}] if buttons else []


def _items(page: Page, now: int | None = None) -> list[Block]:
    names = titles([Which.listed(one) for one in page.items])
    return [
        block for one, name in zip(page.items, names, strict=True) for block in _item(page, one, name, now)
    ]


def _item(page: Page, one: Listed, title: str, now: int | None) -> list[Block]:
    if one.id in page.folded:
        return _batch(page, one, page.folded[one.id], now)
    reviewable = one.id in page.reviewable and one.pending
    action_id, label = way_in(one.action) if reviewable else ("details", card_words.DETAILS_MORE)
    button = {
        "type": "button",
        "action_id": action_id,
        "text": plain(label),
        "value": f"{one.id}:{one.version}",
    }
    name = f"{page.kind}:{one.id}:{one.revision}"
    about = [*([plain(one.action)] if one.headline else []), mrkdwn(_about(page, one, now))]
    about += [*_by_policy(one), *recalled(one.rejected)]
    return [
        {"type": "section", "block_id": f"item:{name}", "text": plain(title), "accessory": button},
        {"type": "context", "block_id": f"about:{name}", "elements": about},
    ]


def _batch(page: Page, one: Listed, of: Folded, now: int | None) -> list[Block]:
    """All that waits of a batch as one line, or all of it with what has become of it."""
    name = f"{page.kind}:{one.id}:{one.revision}"
    if not of.became or (one.pending and one.id in page.reviewable):
        ways_in = "batch_review", card_words.REVIEW_MORE
    else:
        ways_in = "batch_look", batch_words.LOOK_THROUGH
    button = {
        "type": "button",
        "action_id": ways_in[0],
        "text": plain(ways_in[1]),
        "value": str(of.batch_id),
    }
    link = one.permalink if _LINK.fullmatch(one.permalink) else ""
    about = [mrkdwn(_about_batch(page, one, of, now, link))]
    called = visible(of.title.strip())
    about += [plain(batch_words.called(cut(called, 200)))] if called else []
    text = plain(batch_words.header(of.actions, len(of.ids)))
    return [
        {"type": "section", "block_id": f"item:{name}", "text": text, "accessory": button},
        {"type": "context", "block_id": f"about:{name}", "elements": about},
    ]


def _about_batch(page: Page, one: Listed, of: Folded, now: int | None, link: str) -> Trusted:
    if not of.became:
        return lists_words.listed_batch(one.agent, batch_words.until(of.ends, now), link)
    counts = Counter[str]()
    for status, count in of.became:
        counts[STATES.get(status, status)] += count
    told = batch_words.counts([(name, counts[name]) for name in ORDER if counts[name]])
    at = (one.decided_at if page.kind == "mine" else None) or one.created_at
    return lists_words.listed_batch_over(one.agent, told, of.failed, at, link)


def _about(page: Page, one: Listed, now: int | None) -> Trusted:
    link = one.permalink if _LINK.fullmatch(one.permalink) else ""
    ended = one.ended_at or one.expires_at
    who, at = "" if page.kind == "mine" else one.approver, one.decided_at or ended
    became = partial(lists_words.listed_after, one.agent, link=link, code=one.code)
    match one.status:
        case "pending" if one.runs_at is not None:
            return became(undo_words.listed(one.runs_at or None))
        case "pending":
            undo = at_stake(one.action, one.reversibility, one.reversibility_from)
            left = progress_words.left(one.left_at) if one.left_at is not None else ""
            left = stop_words.LISTED if one.id in page.stopped else left
            return lists_words.listed(
                one.agent, one.expires_at, now, link, undo=undo, code=one.code, left=left
            )
        case "approved" if one.vote is None:
            return became(_reported(one, card_words.approved_by_policy(ended), now))
        case "approved":
            return became(_reported(one, card_words.approved(who, at), now))
        case "answered":
            return became(card_words.answered(who, at))
        case "rejected":
            return became(card_words.rejected(one.resubmit, who, at))
        case "expired":
            return became(lists_words.expired(ended))
        case "cancelled":
            return became(lists_words.withdrawn(ended))
        case "blocked" if one.stopped:
            return became(stop_words.listed_blocked(one.stopped, ended))
        case "blocked":
            return became(lists_words.blocked(ended))
    assert_never(one.status)


def _reported(one: Listed, approved: Trusted, now: int | None) -> Trusted:
    """What was approved, and what became of it, as far as anybody has said."""
    if one.outcome is not None:
        undone = f" · {undo_words.LISTED_UNDONE}" if one.undone else ""
        return Trusted(f"{approved} · {card_words.outcome(one.outcome, None)}{undone}")
    known = {"over": one.is_over, "unattended": one.left_at is not None}
    told = progress_line(one.ended_at or one.created_at, one.spent_at, **known, now=now)
    return Trusted(f"{approved} · {told[0].lower()}{told[1:]}")


def _by_policy(one: Listed) -> list[Block]:
    """What of the policy decided, where nobody was asked."""
    match one.status:
        case "approved" | "blocked" if one.vote is None and one.why and not one.stopped:
            return [plain(cut(lists_words.by_policy(*map(_told, (one.why, one.rule_says))), 300))]
        case "approved" | "answered" | "blocked" | "pending" | "rejected" | "expired" | "cancelled":
            return []
    assert_never(one.status)


def _told(text: str) -> str:
    return isolated(visible(text))


def _to_page(action_id: str, label: str, page: Page, to: int) -> Block:
    value = f"{page.kind}:{to}:{page.about}"
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}
