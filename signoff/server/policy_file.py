"""The policy in force: read from its file again when that changes, and kept in the log by its digest."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from signoff.approvals import audit
from signoff.approvals.audit import Event
from signoff.models import changes, policies
from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.models.store import Store
from signoff.policy.errors import PolicyError
from signoff.policy.policy import Policy
from signoff.server.settings import Settings

log = logging.getLogger("signoff.policy")

LOOK_SECONDS = 2.0
"""How often the file is looked at; SIGHUP has it looked at now."""
SETTLED = 0.2
"""Seconds without a write after which a file is read at once: a half-written one may be another policy."""
UNREADABLE = "unreadable"
"""Stands for the content of a file that cannot be read."""


class Stamp(NamedTuple):
    """Tells two states of a file apart: when it was written (nanoseconds since 1970), its size and inode."""

    nanoseconds: int
    size: int
    inode: int

    @property
    def written(self) -> float:
        """When it was written, in seconds since 1970."""
        return self.nanoseconds / 1e9


class InForce:
    """The policy of one process. `tell` tells the admins of faults, and is False where it could not.

    Raises ConfigError where the settings are wrong. A file that is wrong is refused (PolicyError), unless the
    database knows the policy that was in force before: a process that is started again while somebody edits
    the file goes on with that one, as the other processes do.
    """

    def __init__(self, settings: Settings, store: Store, tell: Callable[[Sequence[str]], bool]) -> None:
        self._settings = settings
        self._path = settings.policy_file
        self._store = store
        self._tell = tell
        self._seen: tuple[object, str] = (None, "")
        self._tried: object = None
        try:
            stamp = self._stamp() if self._path else None  # before it is read: it may change meanwhile
            data = self._read() if self._path else b""
            self._policy = settings.policy_from(data) if self._path else settings.policy()
            self._seen = (stamp, _digest(data))
        except PolicyError as error:
            before = policies.last(store)
            if before is None:
                raise
            try:
                self._policy = settings.policy_from(before.encode())
            except PolicyError:
                raise error from None
            log.error("the policy file cannot be used, going on with the one from before: %s", error)

    def now(self) -> Policy:
        """The policy in force, as it was last read."""
        return self._policy

    def today(self) -> Policy:
        """The policy in force, by the file as it stands at this moment.

        A click is judged by what was written before it, whichever process it comes to. What is just being
        written, or cannot be used, is left to `look`, which also notes what has come into force.
        """
        stamp = self._stamp() if self._path else None
        if stamp is None or stamp in (self._seen[0], self._tried) or time.time() - stamp.written < SETTLED:
            return self._policy
        self._tried = stamp
        try:
            self._policy = self._settings.policy_from(self._read())
        except PolicyError as error:
            log.warning("the policy file cannot be used: %s", error)
        return self._policy

    def start(self) -> None:
        """Keep the policy in the log; the database's errors pass."""
        self._keep(self._policy)

    def run(self, stop: threading.Event, look: threading.Event) -> None:
        """Look at the file every 2 s and whenever `look` is set, until `stop` is."""
        while self._path and not stop.is_set():
            look.wait(LOOK_SECONDS)
            asked = look.is_set()
            look.clear()
            try:
                self.look(asked)
            except DATABASE_OUTAGE as error:
                log.warning("policy not read again yet: %s", type(error).__name__)

    def look(self, asked: bool = False) -> None:
        """Where the file has changed, or somebody `asked`: put it in force, or say what is wrong with it.

        The database's errors pass: then nothing has changed, and the next look is the first again.
        """
        stamp = self._stamp()
        if stamp == self._seen[0] and not asked:
            return
        try:
            data = self._read()
        except PolicyError as error:
            if stamp == self._seen[0] or self._seen[1] == UNREADABLE or asked:  # not only between two states
                self._refuse(UNREADABLE, "", error)
            self._seen = (object(), UNREADABLE)
            return
        digest = _digest(data)
        if digest != self._seen[1]:
            try:
                policy = self._settings.policy_from(data)
            except PolicyError as error:
                if not self._refuse(digest, data.decode(errors="replace"), error):
                    return
            else:
                self._keep(policy)
                policies.mended(self._store)
                self._policy = policy
                log.info("policy in force: digest=%s", policy.digest)
        self._seen = (stamp, digest)

    def _keep(self, policy: Policy) -> None:
        """Log each coming into force, also again: the newest one judges where a file cannot be used."""
        digest = audit.sha256(policy.text)
        with self._store.transaction() as connection:
            at = policies.after_all(connection, changes.clock(connection))
            owners = policies.own(connection, policy.owner) if policy.contents is not None else {}
            if policies.keep(connection, digest, policy.text, at, anew=bool(owners)):
                data = {"policy": policy.digest, "text": digest, "owners": owners}
                audit.append(connection, Event("policy", None, at, "signoff", data))

    def _refuse(self, digest: str, content: str, error: PolicyError) -> bool:
        """Say what is wrong, once for each content; False where nobody could be told."""
        if policies.refuse(self._store, digest, content, error.detail):
            for fault in error.faults:
                log.error("the policy from before stays in force: %s", fault)
            if not self._tell(error.faults):
                policies.forget(self._store, digest)
                return False
        return True

    def _read(self) -> bytes:
        assert self._path is not None
        try:
            return Path(self._path).read_bytes()
        except OSError as error:
            raise PolicyError([f"{self._path}: cannot be read: {error.strerror}."]) from None

    def _stamp(self) -> Stamp | None:
        """Changes whenever the file is written or replaced; None while it cannot be looked at."""
        assert self._path is not None
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def _digest(data: bytes) -> str:
    return audit.sha256(data.decode(errors="replace"))
