"""What somebody says of an outcome, cut off at each of its points: it stands once or not at all."""

from __future__ import annotations

import pytest
from approvals.test_feedback import AGENT, asks, owned, ran
from faults.test_batch_points import dying_at
from sqlalchemy import text
from support import Core, undelivered

from signoff.approvals import audit
from signoff.approvals.errors import FeedbackGiven
from signoff.models.crash import RARE_POINTS
from signoff.receipts import verify_keys

POINTS = [one for one in RARE_POINTS if one.startswith("feedback.")]


@pytest.mark.parametrize("point", [*POINTS, "end.written", "end.committed"])
def test_an_answer_stands_once_wherever_it_is_cut(
    point: str, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned(core)
    of_outcome = point in POINTS
    approval = ran(core) if of_outcome else asks(core)
    with dying_at(point, 1, monkeypatch):
        core.approvals.feedback.give(approval.id, "U0MIA", "wrong", "It was net.")
    stands = not point.endswith("written")
    found = core.approvals.get(approval.id)
    answered = found.feedback is not None and found.feedback.answer is not None
    assert answered == stands
    if stands:  # the card is due, whoever was woken or not
        assert approval.id in undelivered(core.store)
        with pytest.raises(FeedbackGiven):
            core.approvals.feedback.give(approval.id, "U0MIA", "right")
    else:
        core.approvals.feedback.give(approval.id, "U0MIA", "wrong", "It was net.")
    assert [(one.kind, one.count) for one in core.approvals.lessons.of(AGENT)] == [("wrong", 1)]
    with core.store.reading() as connection:
        lines = text("SELECT count(*) FROM audit_event WHERE kind = 'feedback'")
        assert connection.execute(lines).scalar() == 1
    assert audit.verify(core.store, keys=verify_keys(core.signer.verify_key)).ok
