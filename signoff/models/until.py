"""Until when, as somebody types it after `/approvals away` → a moment; pure.

`Friday`, `Friday 9:00`, `tomorrow 8am`, `14:30`, `2026-12-24`, `24.12. 9:00`, `3 days`. A day without a time
is its morning, at 9:00, by the person's own clock; a weekday is the next one that is still to come. `12/24`
names no day: which of the two is the month differs between readers.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo

from signoff.models.quiet import zone_of

SECOND = 1_000_000
MORNING = (9, 0)
"""When somebody is back who names a day alone."""
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"(?:at )?(\d{1,2})(?:[:.](\d{2}))? ?(am|pm)?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?", re.ASCII)
_SPAN = re.compile(r"(?:for |in )?(\d{1,3}) ?(h|hours?|d|days?|w|weeks?)", re.ASCII)
_LENGTHS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


def until_when(said: str, zone_name: str, now: int) -> int | None:
    """A moment after `now` (microseconds since 1970) by the clock of a zone; None where it names none.

    A moment that is over is none, but for a time alone: that is tomorrow's then.
    """
    text = " ".join(said.lower().replace(",", " ").split()).removeprefix("until ")
    if found := _SPAN.fullmatch(text):
        length = int(found[1]) * _LENGTHS[found[2][0]] * SECOND
        return now + length if length else None
    zone = zone_of(zone_name)
    here = datetime.fromtimestamp(now // SECOND, zone)
    head, _, tail = text.partition(" ")
    day = _day(head, here.date())
    if day is None:
        clock = _clock(text)
        if clock is None:
            return None
        at = _moment(here.date(), clock, zone)
        return at if at > now else _moment(here.date() + timedelta(days=1), clock, zone)
    clock = _clock(tail) if tail else MORNING
    if clock is None:
        return None
    at = _moment(day, clock, zone)
    if at <= now and head in ("today", here.strftime("%A").lower()[: len(head)]):
        return None if head == "today" else _moment(day + timedelta(days=7), clock, zone)
    return at if at > now else None


def _day(word: str, today: date) -> date | None:
    """The day that a word names, from today on."""
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    named = [at for at, day in enumerate(_DAYS) if len(word) >= 3 and day.startswith(word)]
    if len(named) == 1:
        return today + timedelta(days=(named[0] - today.weekday()) % 7)
    try:
        if found := _ISO.fullmatch(word):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _DOTTED.fullmatch(word):
            day = date(int(found[3] or today.year), int(found[2]), int(found[1]))
            return day if found[3] or day >= today else day.replace(year=today.year + 1)
    except ValueError:
        return None
    return None


def _clock(text: str) -> tuple[int, int] | None:
    found = _TIME.fullmatch(text)
    if found is None or (found[2] is None and found[3] is None and "at" not in text):
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (found[3] == "pm")
    return (hour, minute) if hour < 24 and minute < 60 else None


def _moment(day: date, clock: tuple[int, int], zone: tzinfo) -> int:
    shown = datetime(day.year, day.month, day.day, *clock, tzinfo=zone)
    return int(shown.timestamp()) * SECOND
