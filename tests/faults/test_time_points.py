"""Reminders and absences, cut off at each of their points: each stands once or not at all, and is told."""

from __future__ import annotations

import pytest
from approvals.test_away import ANA, BEN, POLICY, leave, lines
from approvals.test_calls import POLICY as REMINDS
from approvals.test_calls import later, said, shown, swept
from faults.test_batch_points import dying_at
from support import Core

from signoff.models.crash import CRASH_POINTS, RARE_POINTS

OURS = ("call.", "called.", "away.", "back.", "absence.")
POINTS = [one for one in RARE_POINTS if one.startswith(OURS)]
SWEPT = [one for one in CRASH_POINTS if one in ("sweep.call", "sweep.remind", "sweep.absence")]


@pytest.mark.parametrize("point", [one for one in [*POINTS, *SWEPT] if "call" in one or "remind" in one])
def test_people_are_pinged_once_wherever_it_is_cut(
    point: str, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.follow(REMINDS)
    shown(core)
    later(core, 31)
    with dying_at(point, 1, monkeypatch):
        swept(core)
    swept(core, 3)
    assert len(said(core)) == 1 and len(said(core)[0]["people"]) == 3
    assert len(lines(core, "escalated")) == 1 and len(lines(core, "called")) == 1


@pytest.mark.parametrize("point", [one for one in [*POINTS, *SWEPT] if one.startswith(("a", "b"))])
def test_who_is_away_is_so_once_wherever_it_is_cut(
    point: str, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.follow(POLICY)
    approval = shown(core)
    with dying_at(point, 1, monkeypatch):
        leave(core, ANA, BEN)
        swept(core)
        core.approvals.times.away.back(ANA, by=ANA)
    if not core.approvals.times.away.away() and not lines(core, "back"):
        leave(core, ANA, BEN)
    swept(core, 2)
    core.approvals.times.away.back(ANA, by=ANA)
    swept(core, 2)
    assert len(lines(core, "away")) == 1 and len(lines(core, "back")) == 1
    assert core.approvals.get(approval.id).revision > approval.revision
    assert not core.approvals.times.away.untold()
