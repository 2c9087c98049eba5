"""Every message, form, list and Home that is drawn of the made-up requests, as Slack is sent them; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from signoff.approvals.lists import Overview, Page
from signoff.bot.cards import lists
from signoff.bot.cards.batch_card import batch_card
from signoff.bot.cards.card import Message, double, lost
from signoff.bot.cards.first_message import first_message, moved_message, tally_message
from signoff.bot.cards.menu import rest_view
from signoff.bot.cards.pending import waiting_blocks
from signoff.bot.cards.record import record_blocks, record_view
from signoff.bot.cards.stops import stop_blocks
from signoff.bot.forms import modals, stop_forms
from signoff.bot.forms.conflict import again_view, lost_view
from signoff.bot.forms.difference_view import difference_view
from signoff.bot.forms.edit_form import EditForm, can_edit
from signoff.bot.forms.feedback_form import correction_view
from signoff.bot.forms.review import read_page, review_view
from signoff.bot.forms.talk_forms import ask_view, conversation_view
from signoff.bot.forms.undo_form import undo_view
from signoff.bot.gallery.approval import AGENT, BEGAN, POLICY, SECOND, made_up
from signoff.bot.gallery.batches import BATCHES, looked
from signoff.bot.gallery.cards import CARDS, Case
from signoff.bot.gallery.feedback import FEEDBACK
from signoff.bot.gallery.questions import QUESTIONS
from signoff.bot.gallery.shapes import BEFORE
from signoff.bot.gallery.stops import EVERY, STOPS
from signoff.bot.gallery.talks import TALKS
from signoff.bot.gallery.undo import UNDO, planned
from signoff.bot.gallery.votes import VOTES
from signoff.bot.kinds import kind_of
from signoff.bot.text.conversation import pages, turns
from signoff.bot.text.fold import shown_whole
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.words import replies as replies_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.together import views as batch_forms
from signoff.bot.together.review import LOOK, review_pages
from signoff.bot.together.review import review_view as batch_review
from signoff.models.approval import Approval, Card
from signoff.models.batch_lists import Folded
from signoff.models.batches import Batch, Left
from signoff.models.feedback import KIND
from signoff.models.lists import Listed
from signoff.models.questions import QUESTION
from signoff.models.stops import StopScope
from signoff.models.telling import told_of
from signoff.models.threads import Tally, Thread
from signoff.payload.glimpse import glimpse

SETS: Mapping[str, Mapping[str, Case]] = {
    "cards": CARDS,
    "shapes": BEFORE,
    "questions": QUESTIONS,
    "undo": UNDO,
    "feedback": FEEDBACK,
    "talks": TALKS,
    "stops": STOPS,
    "votes": VOTES,
}
"""The sets of requests, by name. What is drawn of one set is drawn of each."""
ID = "01930000-0000-7000-8000-000000000001"
NOW = BEGAN + 35 * 60 * SECOND
"""When they are looked at, in microseconds since 1970."""
PLACE = Card(1, "C0APPROVALS", "1.2")
LINK = "https://acme.slack.com/archives/C0APPROVALS/p12"
_DRAFT = "01930000-0000-7000-8000-000000000002"
_ENDS = (NOW + 3600 * SECOND,)
_FOLDED = (
    Folded(
        12, "Clean up 40 branches", ("x",) * 40, (("branch.delete", 40),), _ENDS,
        (("approved", 36), ("rejected", 2), ("sent back", 1), ("cancelled", 1)), 2,
    ),
    Folded(
        13, "", ("x",) * 9, (("mail.send", 8), ("mail.draft", 1)), _ENDS,
        (("pending", 3), ("approved", 5), ("expired", 1)),
    ),
    Folded(14, "Remind *all* <!channel>", ("x",) * 12, (("mail.send", 12),), _ENDS),
)  # fmt: skip
_LISTED = 10
"""Requests of one page of a list."""


@dataclass(frozen=True)
class Layout:
    """One thing that Slack is sent: a message's arguments, or a view."""

    name: str
    surface: Literal["message", "view"]
    content: dict[str, Any]


def approval_of(case: Case) -> Approval:
    """The Approval of a case, the same each time but for what nobody sees of it."""
    payload, fields = case
    return made_up(payload, **{"id": ID, "card": PLACE, **fields})


def card_of(case: Case) -> Message:
    """Its card, as it is posted."""
    approval = approval_of(case)
    return kind_of(approval).card(approval, now=NOW)


def layouts() -> Iterator[Layout]:
    """All of them; no two have the same name."""
    for set_name, cases in SETS.items():
        for name, case in cases.items():
            yield from _of_one(f"{set_name}/{name}", approval_of(case))
    every = [approval_of(case) for cases in SETS.values() for case in cases.values()]
    yield from _of_many([replace(one, id=_id(number)) for number, one in enumerate(every)])
    yield from _by_themselves(approval_of(CARDS["short"]))
    for name, batch in BATCHES.items():
        yield from _of_batch(name, batch)


def _id(number: int) -> str:
    """An id, and so a code, of its own."""
    return f"{number * 0x9E3779B1 & 0xFFFFFFFF:08x}{ID[8:]}"


def _of_one(name: str, approval: Approval) -> Iterator[Layout]:
    yield _message(f"{name}: card", kind_of(approval).card(approval, now=NOW))
    yield _message(f"{name}: card posted twice", double(approval, now=NOW))
    for may in (True, False):
        blocks = record_blocks(approval, may_decide=may, now=NOW)
        yield Layout(f"{name}: looked up{', to decide' if may else ''}", "message", {"blocks": blocks})
    yield _view(f"{name}: details", modals.details_view(approval))
    yield _view(f"{name}: record", record_view(approval, NOW))
    if approval.verdict.undo is not None and approval.outcome is not None and approval.outcome.result:
        yield _view(f"{name}: undo", undo_view(planned(approval)))
    if approval.feedback is not None or approval.request.kind == KIND:
        yield _view(f"{name}: wrong", correction_view(approval, "wrong"))
    if approval.request.kind in (QUESTION, KIND):
        yield from _forms(name, approval)
        return
    yield from _review(name, approval)
    if not approval.pending:
        return
    yield _view(f"{name}: reject", modals.reject_view(approval))
    yield _view(f"{name}: ask the agent", ask_view(approval))
    for page in range(1, 1 + len(pages(approval.request.context)) * bool(turns(approval.request.context))):
        yield _view(f"{name}: conversation, page {page}", conversation_view(approval, page))
    if shown_whole(approval):
        yield _view(f"{name}: approve with note", modals.note_view(approval))
    if can_edit(approval):
        form = EditForm(approval, draft_id=_DRAFT)
        yield _view(f"{name}: edit", form.view())
        yield _view(f"{name}: edit, changed meanwhile", again_view(approval, form))
        yield _view(f"{name}: edit, decided meanwhile", lost_view(_SAID, approval, approval.payload))
        yield _view(f"{name}: difference", difference_view(approval, _changed(approval.payload), _DRAFT))


def _forms(name: str, approval: Approval) -> Iterator[Layout]:
    """Those of its kind, while it waits."""
    if approval.pending:
        for form, view in kind_of(approval).forms.items():
            yield _view(f"{name}: {form}", view(approval))


def _review(name: str, approval: Approval) -> Iterator[Layout]:
    first = review_view(approval)
    yield _view(f"{name}: review, page 1", first)
    for page in range(2, read_page(first)[1] + 1):
        yield _view(f"{name}: review, page {page}", review_view(approval, page))


def _of_many(approvals: list[Approval]) -> Iterator[Layout]:
    waiting = [one for one in approvals if one.pending]
    yield Layout("waiting in a thread", "message", {"blocks": waiting_blocks(_SAID, waiting, NOW)})
    items = tuple(map(_listed, approvals))
    ids = frozenset(one.id for one in items)
    kinds: tuple[Literal["pending", "mine", "history"], ...] = ("pending", "mine", "history")
    pages = {
        kind: Page(kind, some[:_LISTED], 2, 3, len(some), more=True, about="billing-bot", reviewable=ids)
        for kind in kinds
        if (some := tuple(one for one in items if one.pending is (kind == "pending")))
    }
    for kind, page in pages.items():
        yield Layout(f"list of {kind}", "message", {"blocks": lists.list_blocks(page, NOW)})
        yield _view(f"list of {kind}, as a form", lists.list_view(page, NOW))
        yield Layout(f"empty list of {kind}", "message", {"blocks": lists.list_blocks(Page(kind), NOW)})
    folded = {one.id: of for one, of in zip(pages["history"].items, _FOLDED, strict=False)}
    batches = replace(pages["history"], folded=folded)
    yield Layout("list of batches", "message", {"blocks": lists.list_blocks(batches, NOW)})
    owned = Page("owned", items[:_LISTED], more=True)
    seen = Overview(pages["pending"], pages["mine"], owned)
    yield _view("Home", lists.home_view(seen))
    told = replace(seen, stops=EVERY, resumable=frozenset([EVERY[0].id]), can_stop=True)
    yield _view("Home, with stops", lists.home_view(told))
    yield _view("Home, empty", lists.home_view(Overview(Page("pending"), Page("mine"), Page("owned"))))


def _of_batch(name: str, batch: Batch) -> Iterator[Layout]:
    yield _message(f"{name}: card", batch_card(batch, now=NOW))
    seen = looked(batch, "another review")
    for page in range(1, len(review_pages(seen)) + 1):
        yield _view(f"{name}: review, page {page}", batch_review(seen, page))
    over = replace(seen, review=replace(seen.review, id=f"{LOOK}{batch.id}"))
    for page in range(1, len(review_pages(over)) + 1):
        yield _view(f"{name}: looked through, page {page}", batch_review(over, page, decides=False))
    for at, one in enumerate(batch.items):
        yield _view(f"{name}: one by one, {at + 1}", batch_forms.each_view(seen, at, one))
    left = [Left(one.id, "Its time ran out.") for one in batch.items[:3]]
    yield _view(f"{name}: result", batch_forms.result_view(seen, "approve", 2, left))
    yield _view(f"{name}: broken off", batch_forms.result_view(seen, "approve", 2, (), broken=True))
    yield _view(f"{name}: how many of each", batch_forms.over_view(seen))
    yield _view(f"{name}: deciding", batch_forms.deciding_view(len(batch.items), "signoff-1"))
    yield _view(f"{name}: reject all", batch_forms.reject_all_view(batch.items[0], 12, "batch:12"))


def _by_themselves(approval: Approval) -> Iterator[Layout]:
    thread = Thread(1, approval.agent, "nightly clean-up, 14 November", "C0APPROVALS", "1.1", 2, None)
    yield _message("a run's first message", first_message(thread, POLICY.approvers, approval))
    yield _message("a run's first message, later", tally_message(thread, Tally(2, 5, 1, POLICY.approvers)))
    yield _message("a run's first message, moved", moved_message(thread, LINK))
    yield _message("a card from before a restore", lost())
    yield Layout("said privately", "message", {"blocks": modals.message_blocks(_SAID, approval)})
    yield from _stopping()
    choices = (("note", "Approve with note…"), ("ask", "Ask the agent…"), ("alike", "A"), ("hand", "B"))
    yield _view("what else", rest_view(approval, choices))
    yield _view("nothing else", rest_view(approval, choices[:2]))
    yield _view("Checking…", modals.checking_view())
    yield _view("not possible", modals.message_view(replies_words.NOT_POSSIBLE, _SAID))
    yield _view("not possible, look again", modals.message_view(replies_words.NOT_POSSIBLE, _SAID, approval))
    yield _view("not possible, in somebody's words", modals.refused_view("amount must be at most 100."))


def _stopping() -> Iterator[Layout]:
    """What somebody stops and resumes with."""
    scopes = (StopScope("agent", AGENT), StopScope("action", "refund.create"), StopScope("all"))
    yield _view("stop, from a card", stop_forms.stop_view(scopes))
    yield _view("stop, from a card, once more", stop_forms.stop_view(scopes, EVERY))
    many = [StopScope("all"), *(StopScope("agent", f"bot-{number}") for number in range(99))]
    yield _view("stop, from Home", stop_forms.stop_view(many, named=False))
    longest = StopScope("action", "x" * 60 + ".*" * 20)
    yield _view("stop, a long name", stop_forms.stop_view([longest]))
    known = stop_words.known(3, 1, NOW + 600 * SECOND, 1)
    for name, one in zip(("an agent", "an action", "everything"), EVERY, strict=True):
        yield _view(f"stopped, {name}", stop_forms.stopped_view(one, known))
        yield _view(f"resume {name}", stop_forms.resume_view(one))
        yield _view(f"resumed, {name}", stop_forms.resumed_view(one))
    long = [replace(EVERY[at % 3], id=str(at), reason="why " * 200) for at in range(15)]
    blocks = stop_blocks(long, {one.id for one in long[::2]})
    yield Layout("what is stopped", "message", {"blocks": blocks})
    yield Layout("nothing is stopped", "message", {"blocks": stop_blocks((), ())})


def _changed(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as somebody might edit it: the first number, or the first text, is another one."""
    for name, value in payload.items():
        if isinstance(value, int) and not isinstance(value, bool):
            return {**payload, name: value + 1}
    for name, value in payload.items():
        if isinstance(value, str):
            return {**payload, name: f"{value} (changed)"}
    return payload


def _listed(approval: Approval) -> Listed:
    """A list's line of it."""
    verdict, decision = approval.verdict, approval.decision
    return Listed(
        id=approval.id,
        agent=approval.agent,
        action=approval.action,
        status=approval.status,
        version=approval.version,
        revision=approval.revision,
        created_at=approval.created_at,
        expires_at=approval.expires_at,
        ended_at=approval.ended_at,
        named=verdict.approvers,
        headline=verdict.headline or "",
        reversibility=verdict.reversibility,
        reversibility_from=verdict.reversibility_from,
        glimpse=glimpse(approval.request.json_schema, told_of(approval)),
        vote=decision.vote if decision else None,
        approver=decision.approver if decision else "",
        resubmit=bool(decision and decision.resubmit),
        decided_at=approval.ended_at,
        permalink=LINK,
        why=verdict.why,
        rule_says=verdict.reason,
        policy=verdict.policy,
        code_length=approval.code_length,
        rejected=approval.rejected,
    )


def _message(name: str, drawn: Message) -> Layout:
    content = {"text": drawn.text, "blocks": drawn.blocks}
    return Layout(name, "message", content | ({"metadata": drawn.metadata} if drawn.metadata else {}))


def _view(name: str, view: Block) -> Layout:
    return Layout(name, "view", view)


_SAID: Trusted = replies_words.NOT_RECORDED
