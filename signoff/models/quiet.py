"""Quiet hours on the clock on the wall → the moment at which they end; pure.

A time that does not exist, as the clock jumps over it, is the one that the clock shows instead. One that
comes twice begins quiet hours the first time, and ends them the second: nobody is woken by the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from signoff.models.timing import Quiet

SECOND = 1_000_000
DAY = 1440
"""Minutes."""
_WEEK = 9
"""Days that are looked through for an end: a week, and one on either side."""
PERSON = "person"


def zone_of(name: str) -> tzinfo:
    """An IANA name → its zone; UTC where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # no such file, no such name, or none that could be one
        return UTC


def quiet_until(quiet: Sequence[Quiet], person_zone: str, at: int) -> int:
    """When somebody whose own zone this is may be pinged: `at`, or the end of the quiet hours that it is in.

    Both in microseconds since 1970. Hours that follow on each other are one night. Where no end is found
    within a week, as the policy's check makes sure of, it is then.
    """
    now, last = at, at + _WEEK * 86_400 * SECOND
    while now < last:
        ends = [end for one in quiet if (end := _end(one, person_zone, now)) is not None]
        if not ends:
            return now
        now = max(ends)
    return last


def _end(quiet: Quiet, person_zone: str, at: int) -> int | None:
    """The end of the stretch that `at` is in; None where it is in none."""
    zone = zone_of(person_zone if quiet.zone == PERSON else quiet.zone)
    today = datetime.fromtimestamp(at // SECOND, zone).date()
    length = 1 if quiet.end <= quiet.start else 0
    for back in (1, 0):
        day = today - timedelta(days=back)
        if day.weekday() not in quiet.days:
            continue
        begins = _moment(day, quiet.start, zone, fold=0)
        last = day + timedelta(days=length)
        ends = max(_moment(last, quiet.end, zone, fold=fold) for fold in (0, 1))
        if begins <= at < ends:
            return ends
    return None


def _moment(day: date, minute: int, zone: tzinfo, fold: int) -> int:
    """A minute of a day in a zone → microseconds since 1970."""
    whole = day + timedelta(days=minute // DAY)
    minute %= DAY
    shown = datetime(whole.year, whole.month, whole.day, minute // 60, minute % 60, tzinfo=zone, fold=fold)
    return int(shown.timestamp()) * SECOND


def is_always(quiet: Sequence[Quiet]) -> bool:
    """Whether nobody could be pinged at any time of a week, whatever their zone.

    Two of different zones are looked at as if both were of one: so what is refused never depends on a season.
    """
    awake = set(range(7 * DAY))
    for one in quiet:
        length = (one.end - one.start) % DAY or DAY
        for day in one.days:
            begins = day * DAY + one.start
            awake.difference_update((begins + minute) % (7 * DAY) for minute in range(length))
    return not awake
