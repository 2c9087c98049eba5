"""Until when, as people type it: by their own clock, never in the past, and no day that could be two."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.models.until import until_when

SECOND = 1_000_000
BERLIN = "Europe/Berlin"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()) * SECOND


NOW = at("2026-12-02T10:00")  # a Wednesday


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("Friday 9:00", "2026-12-04T09:00"),
        ("until Friday 9:00", "2026-12-04T09:00"),
        ("fri", "2026-12-04T09:00"),
        ("Friday at 5pm", "2026-12-04T17:00"),
        ("wednesday 11:00", "2026-12-02T11:00"),
        ("wednesday 9:00", "2026-12-09T09:00"),
        ("Wed", "2026-12-09T09:00"),
        ("tomorrow", "2026-12-03T09:00"),
        ("tomorrow, 8am", "2026-12-03T08:00"),
        ("today 18:00", "2026-12-02T18:00"),
        ("14:30", "2026-12-02T14:30"),
        ("9:30", "2026-12-03T09:30"),
        ("12am", "2026-12-03T00:00"),
        ("2026-12-24", "2026-12-24T09:00"),
        ("2026-12-24 7:15", "2026-12-24T07:15"),
        ("24.12. 9:00", "2026-12-24T09:00"),
        ("2.1.", "2027-01-02T09:00"),
        ("24.12.2026", "2026-12-24T09:00"),
        ("for 3 days", "2026-12-05T10:00"),
        ("2h", "2026-12-02T12:00"),
        ("in 1 week", "2026-12-09T10:00"),
    ],
)
def test_what_people_type(said: str, when: str) -> None:
    assert until_when(said, BERLIN, NOW) == at(when)


@pytest.mark.parametrize(
    "said",
    ["", "soon", "fr", "t", "12/24", "2026-02-30", "31.2.", "today 9:00", "2026-12-01", "25:00", "9:60",
     "13pm", "0am", "friday 9:00 sharp", "friday friday", "until", "-3 days", "9",
     "friday 9", "\u0664:00", "0h"],
)  # fmt: skip
def test_what_names_no_moment_to_come(said: str) -> None:
    assert until_when(said, BERLIN, NOW) is None


@given(st.text(max_size=40), st.sampled_from(("UTC", BERLIN, "Nowhere")), st.datetimes(datetime(2020, 1, 1)))
def test_nothing_that_is_typed_is_over_already(said: str, zone: str, when: datetime) -> None:
    now = min(int(when.replace(tzinfo=UTC).timestamp()), 4_000_000_000) * SECOND
    found = until_when(said, zone, now)
    assert found is None or found > now


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(("mon", "friday", "sun", "tomorrow")))
def test_a_day_and_a_time_are_that_day_and_that_time(hour: int, minute: int, day: str) -> None:
    found = until_when(f"{day} {hour}:{minute:02}", "UTC", NOW)
    assert found is not None
    shown = datetime.fromtimestamp(found / SECOND, UTC)
    assert (shown.hour, shown.minute) == (hour, minute)
    assert day == "tomorrow" or shown.strftime("%A").lower().startswith(day[:3])
