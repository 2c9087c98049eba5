"""Pictures and PDFs of a payload in its card's thread, so that they can be looked at before it is decided.

Each goes up once: its id is noted before anybody can see it. Where a step was cut off, the file is looked for
in the thread, where Slack lets us, else deleted, and another goes up. What has no place any more is deleted:
of a payload that was edited or erased, of an approval that ended meanwhile.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from signoff.approvals.service import Approvals
from signoff.bot.delivery.retry import retry
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.slack.uploads import BEGIN, Uploads
from signoff.bot.text.octets import Blob, attached
from signoff.bot.text.words import octets as words
from signoff.models import crash, files, turns
from signoff.models.approval import Approval
from signoff.models.engine import OUTAGE
from signoff.models.files import Claimed

log = logging.getLogger("signoff.files")

AT_ONCE = 5
"""Done one after the other before others have their turn."""
REFUSED_SECONDS = 300.0
"""Pause after Slack has refused one: somebody may give the app its scope, or invite it, by then."""
BROKEN_SECONDS = 60.0
"""Pause before one is tried again on which we fail: it must not hold up what else is due."""
OF_ALL = frozenset(
    {"missing_scope", "not_allowed_token_type", "file_uploads_disabled", "storage_limit_reached"}
)
"""Refusals that would meet every file."""
ERASED_SECONDS = 60.0
"""As often it is looked for files whose payload was erased."""


class Files:
    """Puts them there, and takes them away. Any number share the work."""

    def __init__(self, approvals: Approvals, slack: Slack) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._uploads = Uploads(slack)
        self._look_at = 0.0

    def wanted(self, approval: Approval, place: tuple[str, str]) -> list[str] | None:
        """Digests of the files that are to stand in this conversation's thread; None where they do already,
        or are known to be wanted.
        """
        if not approval.pending and not approval.files:
            return None
        there = {one.digest for one in approval.files if (one.conversation, one.thread) == place}
        digests = [blob.sha256 for blob in attached(approval.payload)]
        if not approval.pending:
            digests = [digest for digest in digests if digest in there]
        settled = len(approval.files) == len(there) and there == set(digests)
        waits = any(one.state == "wanted" for one in approval.files)
        return None if settled and (approval.pending or not waits) else digests

    def step(self) -> bool:
        """What is due, for a while; True where there may be more. The database's errors pass."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + ERASED_SECONDS
            files.erased(self._store)
            crash.here("file.looked")
        for _ in range(AT_ONCE):
            claimed = None if turns.paused(self._store, BEGIN) else files.claim(self._store)
            if claimed is None:
                return False
            crash.here("file.claimed")
            try:
                self._one(claimed)
            except SlackUnavailable as error:
                log.info(
                    "file postponed: id=%s for %.1f s: %s", claimed.approval_id, error.seconds, error.detail
                )
                if error.limited:
                    turns.pause(self._store, BEGIN, "", error.seconds)
                files.postpone(self._store, claimed, error.seconds)
                return False  # cards come first
            except SlackRefused as error:
                log.warning("file refused: id=%s %s", claimed.approval_id, error)
                if error.code in OF_ALL:
                    turns.pause(self._store, BEGIN, "", REFUSED_SECONDS)
                files.postpone(self._store, claimed, REFUSED_SECONDS)
            except OUTAGE:
                raise
            except Exception as error:
                # Its text may repeat a payload: only the type is logged.
                log.error("file failed: id=%s %s", claimed.approval_id, type(error).__name__)
                files.postpone(self._store, claimed, BROKEN_SECONDS)
        return True

    def _one(self, claimed: Claimed) -> None:
        approval = self._store.get(claimed.approval_id) if claimed.state == "wanted" else None
        found = _find(approval, claimed) if approval is not None and approval.pending else None
        if approval is None or found is None:
            self._take_away(claimed)
        else:
            self._put_there(approval, claimed, *found)

    def _take_away(self, claimed: Claimed) -> None:
        if claimed.file:
            self._uploads.delete(claimed.file)
            crash.here("file.deleted")
        retry(lambda: self._approvals.cards.note_unfiled(claimed))

    def _put_there(self, approval: Approval, claimed: Claimed, number: int, blob: Blob) -> None:
        if claimed.file:
            if self._uploads.stands(claimed.file, claimed.conversation, claimed.thread):
                self._note(claimed)
                return
            self._uploads.delete(claimed.file)
            crash.here("file.deleted")
        name = words.file_name(number, blob.type.suffix)
        url, file = self._uploads.begin(name, blob.size, words.alternative(number, blob.kind, blob.size))
        crash.here("file.begun")
        if not files.note_name(self._store, claimed, file):
            return  # nobody can see it, and Slack forgets it
        crash.here("file.named")
        self._uploads.send(url, blob.content)
        crash.here("file.sent")
        link = approval.card.permalink if approval.card else None
        comment = words.comment(number, blob.kind, blob.size, approval.agent, approval.action, link)
        self._uploads.share(file, name, claimed.conversation, claimed.thread, comment)
        crash.here("file.shared")
        self._note(replace(claimed, file=file))

    def _note(self, claimed: Claimed) -> None:
        if not retry(lambda: self._approvals.cards.note_filed(claimed)):
            log.warning("file posted too late: id=%s", claimed.approval_id)


def _find(approval: Approval, claimed: Claimed) -> tuple[int, Blob] | None:
    """The file's number in its payload, from 1, and its bytes; None where it is no longer of it."""
    for number, blob in enumerate(attached(approval.payload), 1):
        if blob.sha256 == claimed.digest:
            return number, blob
    return None
