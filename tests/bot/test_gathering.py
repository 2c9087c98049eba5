"""Turning the pages of a long Review gathers it once; whatever happens to one of its requests, anew."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from bot.batch_made import asked, looked_at

from signoff.bot.together import gathering
from signoff.bot.together.review import review_view


def test_pages_of_one_review_are_gathered_once_until_something_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    real: Callable[..., Any] = gathering.gathered
    monkeypatch.setattr(gathering, "_kept", type(gathering._kept)())
    monkeypatch.setattr(gathering, "gathered", lambda *a, **k: calls.append(1) or real(*a, **k))
    items = [asked({"n": n, "body": f"{n}\n" * 50}) for n in range(60)]
    fresh = looked_at(items)
    first = [review_view(deepcopy(fresh), page) for page in (1, 2, 3)]
    assert len(calls) == 1 and "Page 3 of 3" in str(first[2])
    edited = replace(items[40], version=2, payload={"n": 40, "body": "other"})
    rated = replace(items[41], verdict=items[41].verdict.model_copy(update={"risk": "high"}))
    for changed in (edited, rated):
        now = [changed if one.id == changed.id else one for one in items]
        seen = [review_view(looked_at(now), page) for page in (1, 2, 3)]
        monkeypatch.setattr(gathering, "_kept", type(gathering._kept)())
        assert seen == [review_view(looked_at(now), page) for page in (1, 2, 3)]
    assert len(calls) == 5
    for n in range(9):
        review_view(looked_at(items, review_id=f"{n}" * 32), 2)
    assert len(gathering._kept) == gathering.KEPT
