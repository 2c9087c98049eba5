"""A job's MAC: only what a server with the signing key has queued is run.

It stands in the job's id, so that it needs no field that RQ would have to carry. It binds id, queue, function
and arguments. A job that is put back a second time is no forgery and is run again: that is a wake-up too
many, and does nothing, because a job only names a row that is then brought up to date.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from signoff.errors import SignoffError
from signoff.payload.canonical import canonical

PURPOSE = "rq jobs"
"""What the key is derived for: see `signoff.receipts.Signer.derive`."""
BETWEEN = "_"


class Mac:
    """Signs and checks with a key that is never in Redis."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def job_id(self, queue: str, function: str, arguments: list[Any]) -> str:
        """A new id for this job, with its MAC."""
        own = secrets.token_hex(16)
        return own + BETWEEN + self._of(own, queue, function, arguments)

    def holds(self, job_id: str, queue: str, function: Any, arguments: Any) -> bool:
        """Whether exactly this job was signed; whatever it holds, nothing is raised."""
        own, _, given = job_id.partition(BETWEEN)
        try:
            return hmac.compare_digest(self._of(own, queue, function, arguments).encode(), given.encode())
        except (SignoffError, ValueError, TypeError, RecursionError):
            return False

    def _of(self, own: str, queue: str, function: Any, arguments: Any) -> str:
        signed = canonical([own, queue, function, arguments], "job")
        return hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()
