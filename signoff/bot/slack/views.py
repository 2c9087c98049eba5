"""Puts content into a modal that is open, or is just opening: patient with Slack, and overtaking nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable

View = Mapping[str, Any]
Came = Literal["shown", "gone", "lost", "undone"]
"""What came of a call: it is shown; there is no such view (no longer, or not yet); or Slack was away, and has
maybe, or surely not, done its part."""

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6, 2.0)
"""Seconds between two tries; some six in all. After that the person has long pressed something else."""
UNKNOWN = 5
"""After so many tries Slack seems not to know the id that we gave a view: then its own is used."""
LONGEST_WAIT = 2.0
GONE = frozenset({"not_found", "view_not_found", "hash_conflict"})
"""Slack: there is no such view, or something else stands there by now."""


@dataclass(frozen=True)
class Place:
    """A modal by Slack's id. `hash` is of what has to stand there still."""

    view_id: str
    hash: str | None = None


class Views:
    """Replaces modals; both ways may be used from any thread.

    They raise SlackRefused where Slack takes none of `views` (the others are for where it refuses the first),
    and SlackUnavailable where it cannot be reached for as long as it is tried.
    """

    def __init__(self, slack: Slack, pauses: Sequence[float] = PAUSES) -> None:
        self._slack = slack
        self._pauses = pauses

    def replace(self, place: Place, *views: View) -> bool:
        """Show one of `views` in place of what is open there; False where that is no more."""
        left, lost = list(views), False
        for _ in self._tries():
            came = self._show(left, place.view_id, hash_=place.hash)
            if came in ("shown", "gone"):
                return came == "shown" or lost
            lost = lost or came == "lost"
        raise SlackUnavailable("views.update.")

    def fill(self, external_id: str, view_id: str, *views: View) -> bool:
        """Show one of `views` in place of a modal that comes with an acknowledgement; False where it is gone.

        `external_id` is our own id for that modal. Slack may see this call before the acknowledgement: it
        does not know the id then, and is asked again. What is shown has another id, so that a second call
        after a lost answer puts nothing over what came after it. `view_id` is the modal's own id where it
        is known, for a Slack that would not take ours in an update; else empty.
        """
        left, lost, shown = [{**view, "external_id": f"{external_id}.shown"} for view in views], False, False
        came: Came = "gone"
        time.sleep(self._pauses[0])  # the acknowledgement is not sent yet
        for number in self._tries():
            came = self._show(left, external_id=external_id)
            if came == "shown" or (came == "gone" and lost):
                return True
            lost = lost or came == "lost"
            if number >= UNKNOWN and view_id and came == "gone" and not shown:
                shown = self._show(left, view_id) == "shown"
                view_id = ""
        if came != "gone" and not shown:
            raise SlackUnavailable("views.update.")
        return shown

    def _tries(self) -> Iterator[int]:
        yield 0
        for number, pause in enumerate(self._pauses, 1):
            time.sleep(pause)
            yield number

    def _show(self, left: list[View] | list[dict[str, Any]], view_id: str = "", **where: Any) -> Came:
        """One call; the first of `left` that is refused is taken off, as long as there are others."""
        while True:
            try:
                self._slack.update_view(view_id, dict(left[0]), **where)
                return "shown"
            except SlackRefused as error:
                if error.code in GONE:
                    return "gone"
                if len(left) == 1:
                    raise
                left.pop(0)
            except SlackUnavailable as error:
                time.sleep(min(error.seconds, LONGEST_WAIT) if error.limited else 0.0)
                return "undone" if error.undone else "lost"
