"""A no is remembered in sight: the same request, or nearly the same, says who rejected it, when and why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from support import Core

from signoff.approvals.lists import Lists
from signoff.bot.blocks import check_message, check_view
from signoff.bot.cards.card import card
from signoff.bot.cards.lists import list_blocks
from signoff.bot.cards.pending import waiting_blocks
from signoff.bot.forms.review import review_view
from signoff.bot.text.text import Trusted
from signoff.models import codes, lists
from signoff.models.approval import Approval
from signoff.models.identity import short_code
from signoff.models.rejections import DAYS

ANA, BEN = "U0ANA", "U0BEN"
REFUND = {"amount": 120, "customer": "cus_42", "note": "Sorry"}


def rejected(core: Core, payload: dict[str, Any] = REFUND, reason: str = "Wrong customer.") -> Approval:
    approval = core.submit(payload=payload)
    return core.approvals.decide(approval.id, 1, BEN, "reject", reason=reason)


def test_the_same_request_says_on_top_who_rejected_it_when_and_why(core: Core) -> None:
    first = rejected(core)
    again = core.submit(payload=REFUND)
    assert again.rejected is not None and again.rejected.same
    assert (again.rejected.approval_id, again.rejected.by_id) == (first.id, BEN)
    drawn = card(again, now=again.created_at)
    assert check_message(drawn.blocks, drawn.text) == []
    ids = [block.get("block_id") for block in drawn.blocks]
    before = drawn.blocks[ids.index("before:1")]
    assert ids.index("before:1") < ids.index("payload:1:0")
    shown = [part["text"] for part in before["elements"]]
    assert shown[0].startswith(f"<@{BEN}> *rejected the same* · <!date^") and shown[1:] == [
        "“Wrong customer.”"
    ]
    assert f"<@{BEN}> rejected the same" in drawn.text and "“Wrong customer.”" in drawn.text
    view = review_view(again)
    assert check_view(view) == [] and "rejected the same" in str(view)


def test_one_that_is_nearly_the_same_says_what_differs(core: Core) -> None:
    rejected(core, reason="Ask for the net amount <!channel>")
    near = core.submit(payload={**REFUND, "amount": 100})
    assert near.rejected is not None and not near.rejected.same
    shown = str(card(near, now=near.created_at).blocks)
    assert "*rejected one like it*" in shown and "This one: amount “120” → “100”" in shown
    assert "<!channel>" not in card(near).text


def test_what_was_sent_back_is_called_so(core: Core) -> None:
    approval = core.submit(payload=REFUND)
    core.approvals.decide(approval.id, 1, BEN, "reject", reason="Net.", resubmit=True)
    assert "*sent back the same*" in str(card(core.submit(payload=REFUND)).blocks)


def test_others_rejections_and_old_ones_are_not_recalled(core: Core) -> None:
    rejected(core)
    for other in (
        core.submit(agent="other-bot", payload=REFUND),
        core.submit(action="refund.cancel", payload=REFUND),
        core.submit(payload={"amount": 1, "customer": "cus_1", "note": "another"}),
        core.submit(payload={"sql": "SELECT 1"}),
    ):
        assert other.rejected is None
    with core.store.transaction() as connection:
        statement = text("UPDATE approval SET ended_at = ended_at - :age WHERE status = 'rejected'")
        connection.execute(statement, {"age": (DAYS * 86_400 + 1) * 1_000_000})
    assert core.submit(payload=REFUND).rejected is None


def test_the_same_counts_before_one_that_is_nearly_the_same(core: Core) -> None:
    same = rejected(core)
    rejected(core, {**REFUND, "amount": 121})
    again = core.submit(payload=REFUND)
    assert again.rejected is not None and again.rejected.approval_id == same.id


def test_lists_recall_it_too_and_what_has_ended_does_not(core: Core) -> None:
    rejected(core)
    again = core.submit(payload=REFUND)
    page = Lists(core.approvals, core.people, ()).pending(ANA)
    assert "*rejected the same*" in str(list_blocks(page, again.created_at))
    assert "*rejected the same*" in str(waiting_blocks(Trusted("x"), [again], again.created_at))
    core.approvals.decide(again.id, 1, ANA, "approve")
    ended = core.approvals.get(again.id)
    assert ended.rejected is None and "rejected the same" not in str(card(ended).blocks)


def test_of_an_erased_payload_only_what_is_left_is_told(core: Core) -> None:
    first = rejected(core)
    near = core.submit(payload={**REFUND, "amount": 100})
    with core.store.transaction() as connection:
        connection.execute(
            text("UPDATE payload SET text = NULL, claims = NULL WHERE approval_id = :id"), {"id": first.id}
        )
    again = core.approvals.get(near.id)
    assert again.rejected is not None and again.rejected.payload is None
    shown = str(card(again).blocks)
    assert "*rejected one like it*" in shown and "This one" not in shown


def test_a_request_whose_code_is_taken_has_a_longer_one(core: Core, monkeypatch: Any) -> None:
    first = core.submit(payload={"amount": 1})
    real, taken = short_code, first.code

    def alike(approval_id: Any, characters: int = codes.SHORTEST) -> str:
        return taken + real(approval_id, characters)[6:]

    monkeypatch.setattr("signoff.models.codes.short_code", alike)
    monkeypatch.setattr(codes, "heads", lambda code: [f"{0:08x}", "f" * 8])
    second = core.submit(payload={"amount": 2})
    assert second.code_length > codes.SHORTEST and second.code.startswith(taken)
    assert lists.with_code(core.store, first.code) == [first.id]
    assert lists.with_code(core.store, second.code) == [second.id]
