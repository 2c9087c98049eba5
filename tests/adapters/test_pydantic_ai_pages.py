"""Pydantic AI: the page's code and the example run as they stand."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from signoff.testing import Approvals

ROOT = Path(__file__).parents[2]


def test_the_pages_code_runs(signoff_approvals: Approvals, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "adapters" / "pydantic-ai.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    first, options, suspends, resumes = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana")
    exec(first, names)
    assert "refunded 80" in capsys.readouterr().out
    exec(options, names)
    signoff_approvals.leave_pending()
    exec(suspends, names)
    signoff_approvals.approve()
    exec(resumes, names)
    assert "refunded 0" in str(names["result"].output)  # type: ignore[attr-defined]
    assert [request.action for request in signoff_approvals.requests] == ["refund", "refund"]


def test_the_example_waits_or_suspends_and_goes_on(
    signoff_approvals: Approvals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "pydantic_ai_agent.py"))
    signoff_approvals.leave_pending()
    kept = tmp_path / "run.json"
    example["main"](kept, suspend_after=0.01)
    example["main"](kept, suspend_after=0.01)
    assert capsys.readouterr().out.count("Nobody has decided yet about 2") == 2
    signoff_approvals.edit(signoff_approvals.requests[0], {"amount": 100}, by="Ana")
    signoff_approvals.reject(by="Ben", reason="It has arrived.")
    example["main"](kept)
    said = capsys.readouterr().out
    assert "The bank refunds 100 for A-1." in said and "It has arrived." in said and "for B-2" not in said
    assert len(signoff_approvals.requests) == 2 and not kept.exists()
    signoff_approvals.approve()
    example["main"](None)
    assert "The bank refunds 40 for B-2." in capsys.readouterr().out
