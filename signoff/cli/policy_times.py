"""What `signoff policy explain` says of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signoff.models.verdict import Verdict


def lines(verdict: Verdict, length: Callable[[int], str]) -> list[tuple[str, str]]:
    """A line each, with its name; `length` says seconds in words."""
    from signoff.policy.times import told

    found, said = verdict.times, list[tuple[str, str]]()
    if found.remind:
        said.append(("remind", f"{', '.join(map(length, found.remind))} after its card is shown"))
    for one in found.escalate:
        said.append(("escalate", f"{', '.join(one.to)} may decide, too, after {length(one.after)}"))
    if found.valid is not None:
        said.append(("valid", f"it has to run within {length(found.valid)} of the last vote"))
    if found.clock == "shown":
        said.append(("clock", "its time to decide starts when its card is shown"))
    for quiet in told(found)["quiet"]:
        whose = "by everybody's own clock" if quiet["zone"] == "person" else f"in {quiet['zone']}"
        days = f" from {', '.join(quiet['days'])}" if len(quiet["days"]) < 7 else ""
        said.append(("quiet", f"nobody is pinged {quiet['from']} to {quiet['to']}{days}, {whose}"))
    return said
