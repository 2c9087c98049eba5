"""App Home: kept up to date for everybody who looked at it in the last 24 hours.

The bot notes who opens it; the workers publish. What changes is seen in the audit log, which every change
appends to. Each Home is drawn anew then, and published only where it shows something else: at most once in
5 s a person, and the last state always, since who could not be published stays due.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from signoff.approvals.lists import Lists
from signoff.bot.cards.lists import home_view
from signoff.bot.delivery.retry import retry
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackError, SlackRefused, SlackUnavailable
from signoff.bot.text.text import Block
from signoff.models import homes
from signoff.models.engine import OUTAGE
from signoff.models.homes import Opened, Published
from signoff.models.store import Store

log = logging.getLogger("signoff.home")


LOOK_SECONDS = 0.5
"""How often a worker looks for changes; what it finds has to be published within 2 s of its commit."""
REST_SECONDS = 5.0
"""A person's Home is published at most once in so many seconds."""
RELOOK_SECONDS = 600.0
"""Every Home is drawn anew after so long: nothing tells that somebody joined a group in Slack."""
AT_ONCE = 8
"""Homes published side by side: one after another, 100 of them would take Slack 15 s."""
BATCH = 16
"""Homes claimed at once; with Slack at its slowest they take half of `homes.CLAIM_SECONDS`."""
REFUSED_SECONDS = 60.0
NO_SUCH_USER = frozenset({"user_not_found", "not_enabled", "user_is_bot"})


class Homes:
    """The workers' part. Any number of workers may do it at once: each Home is claimed in the database."""

    def __init__(self, store: Store, lists: Lists, slack: Slack) -> None:
        self._store = store
        self._lists = lists
        self._slack = slack
        self._seen: dict[str, tuple[tuple[int, str], float]] = {}
        self._quiet_until = 0.0
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="home")

    def run(self, stop: threading.Event) -> None:
        """Every half second until `stop` is set."""
        while not stop.wait(LOOK_SECONDS):
            self.step()
        self._pool.shutdown()

    def step(self, only: str = "") -> None:
        """Publish every Home that shows what is no longer so, or `only` that of who has just opened it.

        Raises nothing: what fails stays due.
        """
        try:
            self._refresh(only)
        except OUTAGE as error:
            log.warning("Homes paused: %s", type(error).__name__)
        except Exception as error:
            # Its text may repeat a payload: only the type is logged.
            log.error("Homes not published: %s", type(error).__name__)

    def _refresh(self, only: str) -> None:
        # Before anything is drawn: what comes later is seen next time.
        change = homes.change(self._store), self._lists.policy
        found = [one for one in homes.due(self._store) if only in ("", one.user_id)]
        stale = [one for one in found if self._stale(one, change)]
        for start in range(0, len(stale), BATCH):
            if time.monotonic() < self._quiet_until:
                return
            shown = self._batch(stale[start : start + BATCH])
            self._seen |= dict.fromkeys(shown, (change, time.monotonic()))

    def _stale(self, one: Opened, change: tuple[int, str]) -> bool:
        seen, at = self._seen.get(one.user_id, ((-1, ""), 0.0))
        return one.digest is None or seen != change or time.monotonic() - at > RELOOK_SECONDS

    def _batch(self, stale: list[Opened]) -> list[str]:
        """Publish those that would show something else; who sees what is so by now."""
        drawn = {
            one: view for one, view in zip(stale, self._pool.map(self._draw, stale), strict=True) if view
        }
        new = [one for one, view in drawn.items() if digest_of(view) != one.digest]
        ours = homes.claim(self._store, new)
        views = {one.user_id: view for one, view in drawn.items()}
        found = list(self._pool.map(lambda one: self._publish(one, views[one.user_id]), ours))
        retry(lambda: homes.note_published(self._store, found))  # else they stay claimed for a while
        shown = [one.user_id for one in drawn if one not in new]
        return shown + [one.user_id for one in found if one.digest]

    def _draw(self, one: Opened) -> Block | None:
        """What somebody's Home should show; None where that cannot be told now."""
        try:
            return home_view(self._lists.overview(one.user_id))
        except SlackError as error:
            self._heed(error)
            log.info("Home not drawn: %s", error)
        except OUTAGE:
            raise
        except Exception as error:  # of one person, who must not keep it from the others
            log.error("Home not drawn: %s", type(error).__name__)
        return None

    def _publish(self, one: Opened, view: Block) -> Published:
        quiet = self._quiet_until - time.monotonic()
        if quiet > 0:
            return Published(one.user_id, None, quiet, one.lease)
        try:
            self._slack.publish_home(one.user_id, view)
        except SlackRefused as error:
            log.warning("Home refused: %s", error)
            if error.code in NO_SUCH_USER:
                homes.forget(self._store, one)
            return Published(one.user_id, None, REFUSED_SECONDS, one.lease)
        except SlackUnavailable as error:
            self._heed(error)
            log.info("Home postponed for %.1f s: %s", error.seconds, error.detail)
            # Slack may have taken it although its answer was lost.
            rest = max(error.seconds, 0.0 if error.limited else REST_SECONDS)
            return Published(one.user_id, None, rest, one.lease)
        return Published(one.user_id, digest_of(view), REST_SECONDS, one.lease)

    def _heed(self, error: SlackError) -> None:
        """Slack asked to be left alone, or is away: one person's Retry-After holds for all."""
        if isinstance(error, SlackUnavailable):
            self._quiet_until = max(self._quiet_until, time.monotonic() + error.seconds)


def digest_of(view: Block) -> str:
    """Tells two views apart."""
    return hashlib.sha256(json.dumps(view, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
