"""What a click decides on several requests is what that very card, or view, has shown."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import text as sql

from signoff.approvals.errors import ShownOther
from signoff.approvals.left import NEVER_SHOWN
from signoff.approvals.lists import Lists
from signoff.bot.cards.batch_card import batch_card, parse_shown
from signoff.bot.listeners.batch_looks import Looks
from signoff.models import batch_cards
from signoff.models.approval import Approval
from signoff.models.batches import Batch
from signoff.models.messages import Freeze
from signoff.models.shown import Shown
from tests.support import Core, a_request


def requests(count: int = 4, action: str = "ticket.tidy") -> list[Any]:
    name = uuid.uuid4().hex
    fields = {"reversibility": "reversible", "batch": name}
    return [a_request(action, {"branch": f"b{n}"}, **fields) for n in range(count)]


def frozen(core: Core, asked: list[Any], here: list[Any] | None = None) -> Batch:
    """A batch of all of these, of which those `here` have arrived."""
    for one in asked if here is None else here:
        core.approvals.submit("billing-bot", one)
    freeze = Freeze(title="Clean up", run=None, ids=tuple(one.id for one in asked))
    return core.approvals.batches.freeze("billing-bot", asked[0].batch, freeze)


def post(core: Core, batch_id: int) -> Shown:
    """Its card as it is posted, and noted: what its Approve all says."""
    change(core, "UPDATE batch SET not_before = 0")  # it waits no longer for what is late
    lease = batch_cards.take(core.store, batch_id)
    assert lease is not None
    batch = core.approvals.batches.get(batch_id)
    shown = pressed(core, batch)
    noted = core.approvals.batch_cards.note_shown(batch, lease, "C0APPROVE", "1.2", None, "drawn", None, 0)
    assert noted
    return shown


def pressed(core: Core, batch: Batch) -> Shown:
    blocks = batch_card(batch, now=core.store.clock()).blocks
    actions = [one for block in blocks if block["type"] == "actions" for one in block["elements"]]
    return parse_shown(next(one["value"] for one in actions if one["action_id"] == "batch_approve"))


def change(core: Core, statement: str, **values: Any) -> None:
    with core.store.transaction() as connection:
        connection.execute(sql(statement), values)


def waiting(core: Core, asked: list[Any]) -> list[int]:
    """Which of them wait, by their places."""
    return [at for at, one in enumerate(asked, 1) if core.approvals.get(str(one.id)).pending]


def test_what_arrives_late_is_not_among_what_a_card_has_shown(core: Core) -> None:
    before, after = requests(), requests()
    batch = frozen(core, before, [before[0], before[2], before[3]])
    shown = pressed(core, core.approvals.batches.get(batch.id))
    core.approvals.submit("billing-bot", before[1])  # before the card is posted: it joins it
    assert core.approvals.get(str(before[1].id)).batch_id == batch.id
    assert [number for number, _ in core.approvals.batches.get(batch.id).numbered] == [1, 2, 3, 4]
    post(core, batch.id)
    done = core.approvals.batches.approve("U0ANA", shown)  # as an older drawing of it says
    assert len(done.decided) == 3 and waiting(core, before) == [2]
    batch = frozen(core, after, after[1:])
    shown = post(core, batch.id)
    assert [*shown.versions] == [2, 3, 4]
    core.approvals.submit("billing-bot", after[0])
    late = core.approvals.get(str(after[0].id))
    assert late.batch_id is None and late.card, "who has read the card has not seen it"
    assert core.approvals.batches.get(batch.id).apart == (core.approvals.judge.today(late),)
    assert len(core.approvals.batches.approve("U0ANA", shown).decided) == 3
    assert waiting(core, after) == [1]


def test_numbers_stay_those_of_the_card_when_one_leaves(core: Core) -> None:
    policy = "reversibility: {'t.*': reversible}\nrisk: {t.x: %s}\nrules: [{name: a, verdict: ask}]"
    core.follow(policy % "low")
    asked = requests(4, "t.y")
    asked[0] = a_request("t.x", {"n": 0}, reversibility="reversible", batch=asked[0].batch)
    batch = frozen(core, asked)
    core.approvals.decide(str(asked[2].id), 1, "U0BEN", "reject")
    shown = post(core, batch.id)
    assert [*shown.versions] == [1, 2, 4]
    core.follow(policy % "critical")
    core.approvals.judge_again(str(asked[0].id))
    assert [number for number, _ in core.approvals.batches.get(batch.id).numbered] == [2, 3, 4]
    core.approvals.batches.approve("U0ANA", shown)
    assert waiting(core, asked) == [1], "2 and 4, which she saw, and nothing else"
    assert core.approvals.batches.on_card(shown)[4] == (str(asked[3].id), 1)


def test_a_card_that_is_pressed_before_it_is_noted_decides_all_that_it_showed(core: Core) -> None:
    """Slack shows a message a moment before whoever posted it has the answer; or they die in between."""
    posted, redrawn = requests(), requests()
    batch = frozen(core, posted)
    assert batch_cards.take(core.store, batch.id) is not None
    done = core.approvals.batches.approve("U0ANA", pressed(core, core.approvals.batches.get(batch.id)))
    assert (len(done.decided), done.left, waiting(core, posted)) == (4, (), [])
    batch = frozen(core, redrawn, redrawn[1:])
    post(core, batch.id)
    core.approvals.submit("billing-bot", redrawn[0])  # late: its card is edited, and shows it too
    late = str(redrawn[0].id)
    change(core, "UPDATE approval SET batch_id = :batch WHERE id = :id", batch=batch.id, id=late)
    lease = batch_cards.take(core.store, batch.id)
    assert lease is not None
    shown = pressed(core, core.approvals.batches.get(batch.id))
    batch_cards.postpone(core.store, batch.id, lease, 0, sure=False)
    done = core.approvals.batches.approve("U0ANA", shown)
    assert (len(done.decided), done.left, waiting(core, redrawn)) == (4, (), [])


def test_other_rows_than_the_card_has_shown_are_noticed_and_nothing_is_decided(core: Core) -> None:
    asked, others = requests(3), requests(3)
    batch, other = frozen(core, asked), frozen(core, others)
    shown = post(core, batch.id)
    ids, evil = [str(one.id) for one in asked], str(others[0].id)
    named = "UPDATE batch SET ids = :value WHERE id = :batch"
    for statement, value, back in (
        (named, json.dumps([evil, *ids[1:]]), json.dumps(ids)),
        (named, json.dumps(ids[::-1]), json.dumps(ids)),
        (named, json.dumps(ids[1:]), json.dumps(ids)),
        ("UPDATE payload SET text = :value WHERE approval_id = :id", '{"branch":"main"}', '{"branch":"b1"}'),
    ):
        values = {"batch": batch.id} if "batch" in statement else {"id": ids[1]}
        change(core, "UPDATE approval SET batch_id = :batch WHERE id = :id", batch=batch.id, id=evil)
        change(core, statement, value=value, **values)
        revision = core.approvals.batches.get(batch.id).revision
        with pytest.raises(ShownOther):
            core.approvals.batches.approve("U0ANA", shown)
        assert core.approvals.batches.get(batch.id).revision == revision + 1, "it is drawn anew"
        change(core, statement, value=back, **values)
    assert waiting(core, asked + others) == [1, 2, 3, 4, 5, 6]
    change(core, "UPDATE approval SET batch_id = :batch WHERE id = :id", batch=other.id, id=ids[0])
    change(core, "UPDATE approval SET shown_at = NULL WHERE id = :id", id=ids[1])
    done = core.approvals.batches.approve("U0ANA", shown)
    assert done.decided == (ids[2],) and done.left[0].why == NEVER_SHOWN


def test_a_review_whose_row_or_payloads_were_changed_decides_nothing(core: Core) -> None:
    asked, batches = requests(3), core.approvals.batches
    batch = frozen(core, asked)
    evil: Approval = core.submit(action="ticket.tidy", payload={"branch": "main"}, reversibility="reversible")
    looks = Looks(core.approvals, batches, Lists(core.approvals, core.people, ()))
    looked = looks.begin("U0ANA", batch_id=batch.id)
    review = looked.review
    batches.saw(review.id, "U0ANA", 3)
    items = [[evil.id, 1], *map(list, review.items[1:])]
    rows = "UPDATE batch_review SET items = :items"
    changes: list[tuple[str, dict[str, str], dict[str, str]]] = [
        (rows, {"items": json.dumps(items)}, {"items": json.dumps(review.items)}),
        (rows, {"items": json.dumps(review.items[::-1])}, {"items": json.dumps(review.items)}),
        (
            f"UPDATE payload SET text = :text WHERE approval_id = '{asked[0].id}'",
            {"text": '{"branch":"main"}'},
            {"text": '{"branch":"b0"}'},
        ),
    ]
    for statement, wrong, right in changes:
        change(core, statement, **wrong)
        for vote in ("approve", "reject"):
            with pytest.raises(ShownOther):
                batches.decide(review.id, "U0ANA", vote, digest=looked.digest)  # type: ignore[arg-type]
        with pytest.raises(ShownOther):
            looks.at("U0ANA", review.id, digest=looked.digest)
        change(core, statement, **right)
    assert waiting(core, asked) == [1, 2, 3] and core.approvals.get(evil.id).pending
    core.approvals.decide(str(asked[0].id), 1, "U0BEN", "approve", payload={"branch": "other"})
    done = batches.decide(review.id, "U0ANA", "approve", digest=looked.digest)
    assert len(done.decided) == 2, "what was edited meanwhile is left, and the others are as they were"
