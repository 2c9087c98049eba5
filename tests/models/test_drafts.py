"""What people type into a form before they decide."""

from __future__ import annotations

from sqlalchemy import text
from support import Core

from signoff.models.drafts import KEPT_SECONDS, Drafts


def test_a_draft_is_its_writers_alone_and_goes_after_a_day(core: Core) -> None:
    drafts, approval, other = Drafts(core.store), core.submit(), core.submit()
    assert drafts.write("one", approval, "U0ANA", {"amount": "80"})
    drafts.clear()
    assert drafts.read("one", approval, "U0ANA") == {"amount": "80"}
    assert drafts.read("one", approval, "U0BEN") == {} == drafts.read("one", other, "U0ANA")
    with core.store.transaction() as connection:
        past = {"day": (KEPT_SECONDS + 1) * 1_000_000}
        connection.execute(text("UPDATE draft SET updated_at = updated_at - :day"), past)
    drafts.clear()
    assert drafts.read("one", approval, "U0ANA") == {} and KEPT_SECONDS <= 24 * 3600
