"""The made-up requests: what is drawn of them is what Slack takes, and all kinds of it are there."""

from __future__ import annotations

from collections import Counter

import pytest

from signoff.bot.blocks import check_message, check_view
from signoff.bot.gallery.layouts import SETS, Layout, approval_of, layouts
from signoff.bot.kinds import KINDS
from signoff.models.approval import STATUSES

ALL = {layout.name: layout for layout in layouts()}


@pytest.mark.parametrize("name", ALL)
def test_slack_takes_every_layout(name: str) -> None:
    layout = ALL[name]
    assert refused(layout) == []


def refused(layout: Layout) -> list[object]:
    if layout.surface == "view":
        return list(check_view(layout.content))
    return list(check_message(layout.content["blocks"], layout.content.get("text")))


def test_no_two_layouts_have_the_same_name() -> None:
    assert [name for name, count in Counter(layout.name for layout in layouts()).items() if count > 1] == []


def test_every_status_and_every_form_is_among_them() -> None:
    approvals = [approval_of(case) for cases in SETS.values() for case in cases.values()]
    assert {one.status for one in approvals} == set(STATUSES)
    callbacks = {layout.content.get("callback_id") for layout in ALL.values()}
    assert set(KINDS["approval"].forms) | {"difference", "details", "record", "list"} <= callbacks
    assert any(layout.content.get("type") == "home" for layout in ALL.values())
