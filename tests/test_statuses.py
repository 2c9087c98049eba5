"""No status falls through: each has its exception, exit code, lines and explanation, and reads like no other.

What people see of each in Slack: tests/bot/test_statuses.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from signoff.approvals.kinds import KINDS
from signoff.approvals.submit import ENDS
from signoff.cli import output
from signoff.client.explanation import explain
from signoff.errors import NOT_APPROVED, Refused
from signoff.models.approval import ApprovalStatus, End
from signoff.models.receipt import Receipt, Status
from signoff.models.verdict import EFFECTS

STATUSES: tuple[str, ...] = get_args(Status)
REFUSED: tuple[str, ...] = get_args(Refused)
ENDED: tuple[str, ...] = get_args(End)
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def receipt(status: str) -> Receipt:
    return Receipt(
        id="1", agent="billing-bot", action="refund.create", status=status,  # type: ignore[arg-type]
        jti="n", issued_at=NOW, not_after=NOW + timedelta(hours=1),
    )  # fmt: skip


def test_the_sets_of_statuses_fit_each_other() -> None:
    assert set(STATUSES) == {"approved", "answered", *REFUSED}
    flat = {one for part in get_args(ApprovalStatus) for one in (get_args(part) or (part,))}
    assert flat == {"pending", *ENDED} and set(ENDED) < set(STATUSES)
    assert {end for kind in KINDS.values() for end in kind.ends.values()} <= set(ENDED)
    assert ENDS.keys() == set(EFFECTS) and {end for end in ENDS.values() if end} <= set(ENDED)


def test_every_refusal_has_an_exception_of_its_own_and_no_other_is_one() -> None:
    assert NOT_APPROVED.keys() == set(REFUSED)
    assert len(set(NOT_APPROVED.values())) == len(REFUSED)
    assert all(NOT_APPROVED[status].status == status for status in REFUSED)


def test_every_refusal_is_explained_like_no_other() -> None:
    told = {status: explain(NOT_APPROVED[status]("", receipt(status))) for status in REFUSED}
    assert len(set(told.values())) == len(REFUSED)
    assert all(text.startswith("refund.create was not run: ") for text in told.values())
    assert [status for status, text in told.items() if "rejected it" in text] == ["rejected"]
    assert [status for status, text in told.items() if "nobody answered" in text] == ["expired"]


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_lines_and_an_exit_code(status: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = output.tell(receipt(status), json_wanted=False)
    first = capsys.readouterr().out.splitlines()[0]
    assert (code == 0) is (status == "approved") and first.lower().startswith(status)


def test_only_what_is_alike_for_a_script_shares_an_exit_code() -> None:
    assert output.EXIT.keys() == {"pending", *STATUSES}
    shared = {"blocked", "limited", "duplicate"}
    others = [code for status, code in output.EXIT.items() if status not in shared]
    assert len(others) == len(set(others)) and {output.EXIT[status] for status in shared} == {9}
