"""The audit log, and what answers by it for the rows.

`models.log` appends lines; `lines` says what stands in one, `said` which line says which column. `account`
adds an approval's lines up to what its rows have to hold, `rows` compares the two, and `verification` does so
for the whole log. `heads` are what witnesses outside keep, `selection` and `bundle` what auditors are given.
"""

from __future__ import annotations

from signoff.approvals.audit.verification import Restore, Verification, verify
from signoff.models.log import START, Event, Head, append, events, head, last_line, line_hash, salted, sha256

__all__ = [
    "START",
    "Event",
    "Head",
    "Restore",
    "Verification",
    "append",
    "events",
    "head",
    "last_line",
    "line_hash",
    "salted",
    "sha256",
    "verify",
]
