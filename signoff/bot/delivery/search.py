"""Messages of ours that nobody noted: looked for in Slack, where it lets us.

A delivery that ended between Slack's taking a message and our noting it has left one behind. Its metadata
says which approval, or which run's thread, it is for. Metadata is anybody's to write, so only what this app
has posted counts. Without the scopes for it (manifest.yml, `bot_optional`) nothing is found.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.models import doubles
from signoff.models.approval import Approval
from signoff.models.doubles import Place
from signoff.models.store import MICROSECONDS, Store
from signoff.models.threads import Thread

log = logging.getLogger("signoff.deliver")

PAGES = 5
"""Pages of 200 messages that are looked through: more than a conversation gets in the minutes it is about."""
MARGIN_SECONDS = 60.0
"""Slack's clock may be behind the database's."""
PATIENCE_SECONDS = 10.0
"""Where Slack lets us look only later than this, a card that may stand twice is better than none."""


class Search:
    """Finds what this app has posted. Raises SlackUnavailable where it is worth trying again shortly."""

    def __init__(self, store: Store, slack: Slack) -> None:
        self._store = store
        self._slack = slack

    def cards(self, approval: Approval, wished: str, thread: str | None) -> list[Place]:
        """Messages that are this approval's card, the oldest first; not those redrawn as doubles."""

        def about(payload: Mapping[str, Any]) -> bool:
            return payload.get("approval_id") == approval.id and not payload.get("double")

        since = approval.created_at / MICROSECONDS
        return self._find("signoff_approval", about, wished, thread, since)

    def first_message(self, thread: Thread, wished: str, since: int) -> Place | None:
        """The first message of this run's thread, posted since a time in microseconds."""
        found = self._find(
            "signoff_thread", lambda payload: payload.get("thread") == thread.id, wished, None,
            since / MICROSECONDS,
        )  # fmt: skip
        return found[0] if found else None

    def reply(self, reply_id: int, channel: str, thread: str, since: int) -> Place | None:
        """What was said in a card's thread, by its row's id, since a time in microseconds."""
        found = self._find(
            "signoff_reply", lambda payload: payload.get("reply") == reply_id, channel, thread,
            since / MICROSECONDS,
        )  # fmt: skip
        return found[0] if found else None

    def batch(self, batch_id: int, wished: str, thread: str | None, since: int) -> list[Place]:
        """Messages that are this batch's card, posted since a time in microseconds; the oldest first."""
        about = lambda payload: payload.get("batch") == batch_id  # noqa: E731
        return self._find("signoff_batch", about, wished, thread, since / MICROSECONDS)

    def _find(self, kind: str, about: Any, wished: str, thread: str | None, since: float) -> list[Place]:
        found = []
        try:
            channel = self._id_of(wished)
            for message in self._messages(channel, thread, since - MARGIN_SECONDS):
                metadata = message.get("metadata") or {}
                if metadata.get("event_type") != kind or not self._slack.wrote(message):
                    continue
                if about(metadata.get("event_payload") or {}):
                    ts = str(message["ts"])
                    stands_in = message.get("thread_ts")
                    found.append(Place(channel, ts, stands_in if stands_in != ts else None))
        except SlackRefused as error:
            log.info("not looked for in Slack: %s", error)
            return []
        except SlackUnavailable as error:
            if error.seconds > PATIENCE_SECONDS:
                log.info("not looked for in Slack: %s", error)
                return []
            raise SlackUnavailable(error.detail, error.seconds, undone=True) from None
        return sorted(found, key=lambda place: place.message)

    def _messages(self, channel: str, thread: str | None, oldest: float) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        for _ in range(PAGES):
            page, cursor = self._slack.messages(channel, thread, oldest, cursor)
            yield from page
            if cursor is None:
                return

    def _id_of(self, wished: str) -> str:
        """A conversation's id: a policy may give a name, or a person, whose direct messages it is then."""
        if wished[:1] in ("C", "G", "D") and wished.isupper() and wished.isalnum():
            return wished
        return doubles.known_as(self._store, wished) or wished
