"""Whether webhooks are taken by their receivers."""

from __future__ import annotations

from signoff.cli.doctor.patient import Note, Patient
from signoff.models import deliveries, webhooks
from signoff.models.store import MICROSECONDS

LATE_SECONDS = 15 * 60
"""A message that waits for so long has failed several times, or no worker runs."""
FIX = (
    "`signoff webhooks test ENDPOINT` says what its receiver answers; once that works, `signoff webhooks on` "
    "and `signoff webhooks replay`"
)

TRIED = (
    "it is tried again by itself, while a worker runs; `signoff webhooks test ENDPOINT` says what its "
    "receiver answers now"
)


def hooks(patient: Patient) -> str:
    """None is off, but by an operator, and none is behind."""
    found, waiting = webhooks.all_of(patient.store), deliveries.waiting(patient.store)
    if not found:
        return "there are none"
    now, bad, fix = patient.store.clock(), list[str](), TRIED
    for one in found:
        number, oldest = waiting.get(one.id, (0, now))
        named, late = f"{one.id} of {one.agent}", (now - oldest) // MICROSECONDS
        if one.off_at is not None and one.off_reason != webhooks.BY_OPERATOR:
            bad.append(f"{named} is off: {one.off_reason}")
            fix = FIX
        elif one.failing_since is not None and one.off_at is None:
            bad.append(f"{named} {_failing(now - one.failing_since)}: {one.answer}; {number:,} wait")
        elif late > LATE_SECONDS:
            bad.append(f"{number:,} messages wait for {named}, the oldest for {late // 60:,} minutes")
    total = f"{len(found):,} endpoint{'' if len(found) == 1 else 's'}"
    if bad:
        raise Note(f"{total}; {'; '.join(bad)}", fix)
    off = sum(one.off_at is not None for one in found)
    total_waiting = sum(number for number, _ in waiting.values())
    return f"{total}{f', {off:,} off' if off else ''}; messages that wait: {total_waiting:,}"


def _failing(microseconds: int) -> str:
    minutes = microseconds // (60 * MICROSECONDS)
    return f"has taken nothing for {minutes:,} minutes" if minutes else "did not take its last message"
