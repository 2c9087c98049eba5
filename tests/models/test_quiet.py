"""Quiet hours: on the clock on the wall, over midnight and over changes of the clock; minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.models.quiet import DAY, is_always, quiet_until, zone_of
from signoff.models.timing import Quiet

SECOND = 1_000_000
NIGHT = Quiet(start=20 * 60, end=7 * 60)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "UTC",
    "Africa/Casablanca",
)


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def shown(moment: int, zone: str = "UTC") -> str:
    return datetime.fromtimestamp(moment / SECOND, ZoneInfo(zone)).strftime("%a %H:%M")


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        ([NIGHT], "2026-03-03T19:59", "Tue 19:59"),
        ([NIGHT], "2026-03-03T20:00", "Wed 07:00"),
        ([NIGHT], "2026-03-03T06:59", "Tue 07:00"),
        ([NIGHT], "2026-03-03T07:00", "Tue 07:00"),
        ([Quiet(start=0, end=1440, days=(5, 6))], "2026-03-07T12:00", "Mon 00:00"),
        ([NIGHT, Quiet(start=0, end=1440, days=(5, 6))], "2026-03-06T21:00", "Mon 07:00"),
        ([Quiet(start=20 * 60, end=7 * 60, days=(4,))], "2026-03-07T03:00", "Sat 07:00"),
        ([Quiet(start=20 * 60, end=7 * 60, days=(4,))], "2026-03-06T03:00", "Fri 03:00"),
        ([], "2026-03-06T03:00", "Fri 03:00"),
    ],
)
def test_when_somebody_may_be_pinged(quiet: list[Quiet], now: str, until: str) -> None:
    assert shown(quiet_until(quiet, "UTC", at(now))) == until


def test_each_is_asked_by_their_own_clock_or_by_one_that_the_policy_names() -> None:
    now = at("2026-03-03T20:30")
    assert shown(quiet_until([NIGHT], "Asia/Tokyo", now), "Asia/Tokyo") == "Wed 07:00"
    assert quiet_until([NIGHT], "America/New_York", now) == now
    berlin = NIGHT.model_copy(update={"zone": "Europe/Berlin"})
    assert shown(quiet_until([berlin], "America/New_York", now), "Europe/Berlin") == "Wed 07:00"
    assert quiet_until([NIGHT], "Nowhere/At_all", now) == quiet_until([NIGHT], "UTC", now)
    for name in ("", "..", "/etc/passwd", "\0", "Europe", "x" * 300):
        assert zone_of(name) is UTC


def test_the_clock_changes_in_the_night() -> None:
    berlin = "Europe/Berlin"
    spring = at("2026-03-28T23:00", berlin)  # at 2:00 it is 3:00
    assert quiet_until([NIGHT], berlin, spring) - spring == 7 * 3600 * SECOND
    autumn = at("2026-10-24T23:00", berlin)  # at 3:00 it is 2:00 again
    assert quiet_until([NIGHT], berlin, autumn) - autumn == 9 * 3600 * SECOND
    twice = Quiet(start=0, end=2 * 60 + 30)
    first = int(datetime(2026, 10, 25, 2, 20, tzinfo=ZoneInfo(berlin), fold=0).timestamp()) * SECOND
    assert quiet_until([twice], berlin, first) - first == 70 * 60 * SECOND, "its end comes twice: the second"
    gone = Quiet(start=0, end=2 * 60 + 30)
    assert shown(quiet_until([gone], berlin, at("2026-03-29T01:00", berlin)), berlin) == "Sun 03:30"


def one_quiet() -> st.SearchStrategy[Quiet]:
    return st.builds(
        Quiet,
        start=st.integers(0, DAY - 1),
        end=st.integers(0, DAY),
        days=st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
        zone=st.sampled_from(("person", *ZONES)),
    )


@given(
    st.lists(one_quiet(), max_size=3),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)),
)
def test_the_end_is_no_quiet_hour_and_all_before_it_is(quiet: list[Quiet], zone: str, when: datetime) -> None:
    now = int(when.replace(tzinfo=UTC).timestamp()) * SECOND
    end = quiet_until(quiet, zone, now)
    assert now <= end <= now + 9 * 86_400 * SECOND
    if not is_always(quiet) and len({one.zone for one in quiet}) < 2:
        assert quiet_until(quiet, zone, end) == end, "who is pinged then is awake"
        if end > now:
            assert quiet_until(quiet, zone, end - SECOND) == end
            middle = now + (end - now) // 2
            assert quiet_until(quiet, zone, middle) == end


@given(one_quiet(), st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)))
def test_it_is_quiet_just_as_the_clock_on_the_wall_shows(quiet: Quiet, when: datetime) -> None:
    """Against the plainest reading of it, in a zone whose clock never changes."""
    now = int(when.replace(tzinfo=UTC, second=0, microsecond=0).timestamp()) * SECOND
    minute, length = when.hour * 60 + when.minute, (quiet.end - quiet.start) % DAY or DAY
    if quiet.end == DAY:
        length = DAY - quiet.start
    inside = any(
        (when - timedelta(days=back)).weekday() in quiet.days
        and quiet.start <= minute + back * DAY < quiet.start + length
        for back in (0, 1)
    )
    plain = quiet.model_copy(update={"zone": "person"})
    assert (quiet_until([plain], "UTC", now) > now) == inside


def test_what_leaves_no_hour_is_known() -> None:
    assert is_always([Quiet(start=60, end=60)])
    assert is_always([Quiet(start=0, end=1440)])
    assert not is_always([NIGHT]) and not is_always([])
    assert is_always([NIGHT, Quiet(start=7 * 60, end=20 * 60)])
    assert not is_always([Quiet(start=60, end=60, days=(0, 1, 2, 3, 4, 5))])
