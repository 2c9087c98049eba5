"""The audit log, and what answers by it for the rows.

`log` appends lines; `lines` says what stands in one, `said` which line says which column. `account` adds an
approval's lines up to what its rows have to hold, `rows` compares the two, and `verification` does so for
the whole log. `heads` are what witnesses outside keep.
"""

from __future__ import annotations

from signoff.approvals.audit.log import START, Event, Head, append, head, last_line, line_hash, salted, sha256
from signoff.approvals.audit.verification import Restore, Verification, verify

__all__ = [
    "START",
    "Event",
    "Head",
    "Restore",
    "Verification",
    "append",
    "head",
    "last_line",
    "line_hash",
    "salted",
    "sha256",
    "verify",
]
