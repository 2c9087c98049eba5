"""A stop and a resume, cut at each of their points: they stand whole or not at all, and nothing un-stops."""

from __future__ import annotations

import pytest
from faults.test_batch_points import dying_at
from support import Core, undelivered

from signoff import stops
from signoff.approvals import audit
from signoff.approvals.stop_errors import Held
from signoff.approvals.stop_timer import StopTimer
from signoff.models.crash import RARE_POINTS
from signoff.models.stops import STOPS_KEY, StopScope
from signoff.receipts import verify_keys

POINTS = [one for one in RARE_POINTS if one.startswith(("stop.", "stops.", "resume."))]
AGENT = StopScope("agent", "billing-bot")


def heard(core: Core) -> stops.Statement:
    """What stands in Redis, once the timer has told it."""

    class Once:
        def wait(self, seconds: float) -> bool:
            return True

    StopTimer(core.approvals.stopping).run(Once())  # type: ignore[arg-type]
    token = core.redis.get(STOPS_KEY)
    assert token
    return stops.verify(token.decode(), verify_keys(core.signer.verify_key))


@pytest.mark.parametrize("point", [one for one in POINTS if not one.startswith("resume.")])
def test_a_stop_stands_whole_or_not_at_all(point: str, core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    waits, granted = core.submit(payload={"n": 1}), core.submit(payload={"n": 2})
    core.approvals.decide(granted.id, 1, "U0BEN", "approve")
    with dying_at(point, 1, monkeypatch):
        core.approvals.stop(AGENT, by="U0ANA")
    stands = point != "stop.written"
    assert bool(core.approvals.stops()) == stands
    if not stands:
        core.approvals.stop(AGENT, by="U0ANA")
    [stop] = core.approvals.stops()
    assert waits.id in undelivered(core.store), "its card is due, whoever was woken or not"
    assert [one.number for one in (heard(core), stop)] == [stop.number] * 2
    with pytest.raises(Held):
        core.approvals.decide(waits.id, 1, "U0BEN", "approve")
    assert core.approvals.spend("billing-bot", granted.request_id, "a-process").status == "blocked"
    assert audit.verify(core.store, keys=verify_keys(core.signer.verify_key)).ok


@pytest.mark.parametrize("point", [one for one in POINTS if one.startswith(("resume.", "stops."))])
def test_a_resume_stands_whole_or_not_at_all_and_voids_what_was_granted(
    point: str, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = core.submit(payload={"n": 2})
    core.approvals.decide(granted.id, 1, "U0BEN", "approve")
    waits = core.submit(payload={"n": 3})
    stop = core.approvals.stop(AGENT, by="U0ANA")
    with dying_at(point, 1, monkeypatch):
        core.approvals.resume(stop.id, by="U0BEN")
    if point == "resume.written":
        assert [one.id for one in core.approvals.stops()] == [stop.id]
        core.approvals.resume(stop.id, by="U0BEN")
    assert core.approvals.stops() == () and heard(core).number > stop.number
    assert core.approvals.decide(waits.id, 1, "U0BEN", "approve").status == "approved"
    assert core.approvals.spend("billing-bot", granted.request_id, "a-process").status == "blocked"
    assert audit.verify(core.store, keys=verify_keys(core.signer.verify_key)).ok


def test_a_redis_that_lost_everything_hears_of_it_again(core: Core) -> None:
    core.submit()
    stop = core.approvals.stop(AGENT, by="U0ANA")
    core.redis.flushall()
    assert core.redis.get(STOPS_KEY) is None
    assert heard(core).number == stop.number and heard(core).stops[0].until is None
