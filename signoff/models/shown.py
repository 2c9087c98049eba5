"""What one card or view has shown of several requests, as a digest that its buttons carry.

Whoever presses such a button decides on just that: where ids, versions or payloads in the database are not
those that were shown, in that order, the digest is another, and nothing is decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from signoff.models.approval import Approval
from signoff.models.store import Store, payloads

DIGITS = 32
"""Of the digest, in hexadecimal: 128 bits, which nobody finds a second text for."""
_TEXTS = select(payloads.c.approval_id, payloads.c.version, payloads.c.text).where(
    payloads.c.approval_id.in_(bindparam("ids", expanding=True))
)
_AT_ONCE = 500


@dataclass(frozen=True)
class Shown:
    """What a button of a batch's card says: `versions` by the numbers of the requests, and their digest."""

    batch_id: int
    versions: Mapping[int, int]
    digest: str


def digest_of(asked: Iterable[Approval]) -> str:
    """Of Approvals with the payloads that are shown, in the order in which they are."""
    return _digest((one.id, one.version, one.payload_text) for one in asked)


def digest_in(store: Store, items: Sequence[tuple[str, int]]) -> str:
    """The same of (id, version), with the payloads that the database has now."""
    ids = list(dict.fromkeys(one for one, _ in items))
    texts: dict[tuple[str, int], str | None] = {}
    with store.reading() as connection:
        for at in range(0, len(ids), _AT_ONCE):
            for row in connection.execute(_TEXTS, {"ids": ids[at : at + _AT_ONCE]}):
                texts[row.approval_id, row.version] = row.text
    return _digest((one, version, texts.get((one, version))) for one, version in items)


def _digest(shown: Iterable[tuple[str, int, str | None]]) -> str:
    found = hashlib.sha256()
    for approval_id, version, text in shown:
        payload = hashlib.sha256((text or "").encode()).hexdigest()
        found.update(f"{approval_id} {version} {payload}\n".encode())
    return found.hexdigest()[:DIGITS]
