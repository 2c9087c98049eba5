"""`signoff doctor --layouts`: has the workspace's own Slack look at everything that Signoff draws.

Slack's `blocks.validate` says what it would refuse; it is public, and nothing is posted. What is sent are
made-up requests, never one of yours.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from signoff.bot.gallery.layouts import Layout, layouts
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import Refusal, SlackRefused, SlackUnavailable
from signoff.cli.doctor.patient import Patient
from signoff.errors import SignoffError

TRIES = 5
"""Tries of one layout while Slack is busy: it does not say how often it may be asked."""
LONGEST_PAUSE = 60.0
EVERY = 50
"""Layouts between two lines that say how far it is."""


@dataclass(frozen=True)
class Refused:
    """One refusal, and of which layout."""

    layout: str
    pointer: str
    code: str
    message: str
    expected: str


def report(*, json_wanted: bool = False, sleep: Callable[[float], None] = time.sleep) -> int:
    """Have all of them looked at, and print what is refused; 1 where something is, or Slack does not say."""
    patient, looked_at = Patient(time.time), 0
    found: list[Refused] = []
    fault = ""
    try:
        slack = patient.slack
        for layout in _told(layouts()):
            found += [_of(layout, one) for one in _looked_at(slack, layout, sleep)]
            looked_at += 1
    except SignoffError as error:  # settings that do not read as what they should be pass as ConfigError
        if not isinstance(error, SlackRefused | SlackUnavailable):
            raise
        fault = f"Slack does not say more: {error.detail.rstrip('.')}"
    finally:
        patient.close()
    if json_wanted:
        said = {
            "ok": not found and not fault,
            "layouts": looked_at,
            "refused": [asdict(one) for one in found],
        }
        print(json.dumps(said | ({"fault": fault} if fault else {})))
    else:
        print("\n".join(_lines(looked_at, found, fault)))
    return 1 if found or fault else 0


def _looked_at(slack: Slack, layout: Layout, sleep: Callable[[float], None]) -> list[Refusal]:
    """What Slack refuses of it; raises what Slack says otherwise, once it was asked often enough."""
    kind = layout.surface
    content = {name: value for name, value in layout.content.items() if name != "metadata"}
    for tried in range(1, TRIES + 1):
        try:
            return slack.refusals(kind, content)
        except SlackUnavailable as error:
            if tried == TRIES:
                raise
            sleep(min(error.seconds, LONGEST_PAUSE))
    raise AssertionError("it was tried once at least")


def _told(every: Iterable[Layout]) -> Iterable[Layout]:
    """The same, saying now and then how far it is, to a person who waits."""
    for number, layout in enumerate(every):
        if number and number % EVERY == 0 and sys.stderr.isatty():
            print(f"{number} layouts so far", file=sys.stderr)
        yield layout


def _of(layout: Layout, refusal: Refusal) -> Refused:
    return Refused(layout.name, refusal.pointer, refusal.code, refusal.message, refusal.expected)


def _lines(looked_at: int, found: list[Refused], fault: str) -> list[str]:
    layouts_refused = dict.fromkeys(one.layout for one in found)
    lines = []
    for name in layouts_refused:
        lines.append(f"✗ {name}")
        lines += [f"  {_where(one)}" for one in found if one.layout == name]
    if fault:
        lines += [
            f"✗ after {looked_at} layouts: {fault}",
            "  → check SLACK_API_URL, and try again in a minute",
        ]
    elif found:
        lines += [
            f"Slack refuses {len(layouts_refused)} of {looked_at} layouts: it does not show what looks so.",
            "  → please report the lines above; they hold nothing of yours",
        ]
    else:
        lines.append(f"✓ Slack takes all {looked_at} layouts")
    return lines


def _where(one: Refused) -> str:
    expected = f" {one.expected}" if one.expected else ""
    return f"{one.pointer or '/'}: {one.message} ({one.code}{expected})"
