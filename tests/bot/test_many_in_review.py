"""500 requests of 5 KB in one batch, in the worst that a text can be.

Card, Review and every acknowledgement stay within Slack's limits; each byte of each payload is on some page.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import pytest
from bot.batch_made import NOW, asked, batch_of, looked_at, shows
from slack_bolt.response import BoltResponse

from signoff.bot.blocks import check_message, check_view
from signoff.bot.cards.batch_card import batch_card
from signoff.bot.listeners.acks import Acks
from signoff.bot.slack.frames import ROOM, sent_bytes
from signoff.bot.together import views as forms
from signoff.bot.together.review import Looked, review_pages, review_view
from signoff.models.approval import Approval
from signoff.models.batches import Left
from signoff.sandbox.remote import nodes

JSON = dict[str, Any]
MANY, SIZE = 500, 5_000
VIEW_BYTES = 250_000
"""Slack: of a view, as JSON."""
ASTRAL = "\U00020000"
chance = random.Random(15)


def of_bytes() -> str:
    return base64.b64encode(chance.randbytes(SIZE * 3 // 4)).decode()


def unseen() -> str:
    """Each character is written out as an escape, several times as long."""
    return "\u200b\u202e\x01\u2066" * (SIZE // 10)


def astral() -> str:
    """Each character takes twelve bytes where an acknowledgement is sent."""
    return ASTRAL * (SIZE // 4)


KINDS = {"bytes": of_bytes, "unseen": unseen, "astral": astral}


class Later(Executor):
    """Keeps what follows an acknowledgement."""

    def __init__(self) -> None:
        self.kept: list[Callable[[], None]] = []

    def submit(self, work: Any, *_: Any, **__: Any) -> Any:
        self.kept.append(work)

    def run(self) -> None:
        kept, self.kept = self.kept, []
        for work in kept:
            work()


class Taken:
    """A Slack that takes every view."""

    def __init__(self) -> None:
        self.views: list[JSON] = []

    def update_view(self, view_id: str, view: JSON, **_: Any) -> None:
        self.views.append(view)


def made(kind: str, count: int = MANY) -> list[Approval]:
    return [
        asked({"n": n, "body": f"{n}{KINDS[kind]()}" if kind != "bytes" else KINDS[kind]()})
        for n in range(count)
    ]


def texts(blocks: Sequence[JSON]) -> str:
    found = [str(one["text"]) for one in nodes(list(blocks)) if isinstance(one.get("text"), str)]
    return "".join("".join(found).split())


@pytest.mark.parametrize("kind", KINDS)
def test_card_and_every_page_of_500_stay_within_slacks_limits(kind: str) -> None:
    items = made(kind)
    message = batch_card(batch_of(items), now=NOW)
    assert check_message(message.blocks, message.text) == []
    assert shows(message.blocks, "batch_approve") is None and shows(message.blocks, "batch_review")
    looked = looked_at(items, review_id=f"{kind:_<32}")
    every = review_pages(looked)
    assert [page.seen for page in every] == sorted(page.seen for page in every) and every[-1].seen == MANY
    drawn = "".join(texts(page.blocks) for page in every)
    if kind == "bytes":
        assert all(one.payload["body"] in drawn for one in items), "it has each byte of each"
    else:
        sign, each = ("\\u{202e}", SIZE // 10) if kind == "unseen" else (ASTRAL, SIZE // 4)
        assert drawn.count(sign) == MANY * each
    # All of bytes; of what takes longer to lay out each tenth, and the last.
    for number in (*range(1, len(every), 1 if kind == "bytes" else 10), len(every)):
        view = review_view(looked, number)
        assert check_view(view) == [], number
        assert len(json.dumps(view)) < VIEW_BYTES


@pytest.mark.parametrize(("kind", "count"), [("bytes", MANY), ("astral", 70)])
def test_every_acknowledgement_about_many_fits_a_frame_and_the_view_follows(kind: str, count: int) -> None:
    slack, later = Taken(), Later()
    acks = Acks(slack, later)  # type: ignore[arg-type]
    acks._views._pauses = (0.0,)
    for view in acknowledged(looked_at(made(kind, count), review_id=f"{kind:=<32}")):
        for action in ("update", "push"):
            answer = {"response_action": action, "view": view}
            sent = acks.fitted({"view": {"id": "V1"}}, BoltResponse(status=200, body=answer))
            payload = json.loads(sent.body)
            assert sent_bytes(payload) <= ROOM and check_view(payload["view"]) == []
            whole = sent_bytes(answer) <= ROOM
            assert len(later.kept) == (not whole) and (payload["view"] == view) is whole
            later.run()
            assert whole or slack.views.pop()["blocks"] == view["blocks"], "all of it, by views.update"


def acknowledged(looked: Looked) -> list[JSON]:
    """The views that a click or a form about many may be answered with."""
    one, last = looked.asked[0], len(looked.asked) - 1
    left = [Left(it.id, it.payload["body"][:300]) for it in looked.asked]
    return [
        review_view(looked, 1),
        review_view(looked, len(review_pages(looked))),
        forms.each_view(looked, 0, one),
        forms.each_view(looked, last, looked.asked[last]),
        forms.reject_all_view(one, len(left), looked.review.id, "d" * 64),
        forms.deciding_view(len(left), "ours"),
        forms.result_view(looked, "approve", 0, left),
        forms.result_view(looked, "reject", len(left), (), resubmit=True),
        forms.over_view(looked),
    ]
