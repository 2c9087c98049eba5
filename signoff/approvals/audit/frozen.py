"""Batches beside the log: each that was frozen is as its line says, and no other counts as frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, literal_column, select

from signoff.approvals.audit.fits import Exactly, Fits, Near, Salted
from signoff.approvals.audit.rows import Fault
from signoff.models.batch_rows import batches
from signoff.models.log import events, salted

_LINES = select(events.c.data).where(
    events.c.kind == literal_column("'batch'"), events.c.approval_id.is_(None)
)
_ROWS = select(
    batches.c.id, batches.c.agent, batches.c.name, batches.c.title, batches.c.run, batches.c.size,
    batches.c.state, batches.c.frozen_at, batches.c.ids, batches.c.salt,
)  # fmt: skip


def line(batch_id: int, name: str, ids: Sequence[str], shared: int, **texts: str | None) -> dict[str, Any]:
    """What the log says of a batch that is frozen. `texts` are its title, its run and its salt."""
    salt, run = str(texts["salt"]), texts["run"]
    return {
        "id": batch_id,
        "batch": name,
        "size": len(ids),
        "shared": shared,
        "ids": _digest(ids),
        "title": salted(salt, str(texts["title"])),
        "run": None if run is None else salted(salt, run),
    }


def left(batch_id: int) -> dict[str, Any]:
    """What it says of a request that leaves one, for a card of its own."""
    return {"left": batch_id}


def is_frozen(connection: Connection, agent: str, batch_id: int) -> bool:
    """Whether the log says so, whatever the batch's row says."""
    found = connection.execute(_LINES.where(events.c.actor == agent)).scalars()
    return any(json.loads(data).get("id") == batch_id for data in found)


@dataclass
class Frozen:
    """What lines have told of batches so far."""

    _told: dict[int, tuple[Mapping[str, Any], int, str, int]] = field(default_factory=dict)
    """By id: what the line says, its number, whose batch it is, and when."""

    def read(self, row: Mapping[str, Any]) -> None:
        """Take in a line of the kind `batch`."""
        data = json.loads(row["data"])
        if row["approval_id"] is None and "ids" in data:
            self._told[data["id"]] = (data, row["seq"], row["actor"], row["at"])

    def faults(self, connection: Connection) -> Iterator[Fault]:
        """What differs, is gone, or was never told of."""
        missing = dict(self._told)
        for row in connection.execute(_ROWS):
            name = f"batch {row.id}"
            if row.id not in missing:
                if row.state == "frozen" or row.ids is not None:
                    yield Fault("no line tells of the batch", None, name, "batch.state")
                continue
            data, seq, agent, at = missing.pop(row.id)
            for column, fit in _fits(data, agent, at, row.salt or "").items():
                value = getattr(row, column)
                if not fit.fits(_listed(value) if column == "ids" else value):
                    words = f"batch.{column} differs: the line says {fit.shown()}"
                    yield Fault(words, seq, name, f"batch.{column}")
        for batch_id, (_, seq, _, _) in missing.items():
            yield Fault("its batch's row is gone", seq, f"batch {batch_id}", "batch.id")


def _fits(data: Mapping[str, Any], agent: str, at: int, salt: str) -> dict[str, Fits]:
    return {
        "agent": Exactly(agent),
        "name": Exactly(data["batch"]),
        "title": Salted(data["title"], salt),
        "run": Exactly(None) if data["run"] is None else Salted(data["run"], salt),
        "size": Exactly(data["size"]),
        "state": Exactly("frozen"),
        "frozen_at": Near(at),
        "ids": Exactly(data["ids"]),
    }


def _listed(ids: str | None) -> str | None:
    """The digest of a row's ids, where they are written as they were; else what was found."""
    try:
        found = json.loads(ids or "")
        return _digest(found) if json.dumps(found) == ids else ids
    except (ValueError, TypeError):
        return ids


def _digest(ids: Sequence[str]) -> str:
    """Of ids, which say nothing of what they name."""
    return hashlib.sha256(" ".join(ids).encode()).hexdigest()
