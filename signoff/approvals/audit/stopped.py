"""Stops beside the log: each is as its last line says, and no other counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from signoff.approvals.audit.fits import Exactly, Fits, Salted
from signoff.approvals.audit.rows import Fault
from signoff.models.stop_rows import rows

SALTED = ("by_name", "reason", "resumed_name")
_ROWS = select(rows)


@dataclass
class Stops:
    """What lines have told of stops so far."""

    _told: dict[str, tuple[Mapping[str, Any], int]] = field(default_factory=dict)
    """By id: what the last line says, and its number."""

    def read(self, row: Mapping[str, Any]) -> None:
        """Take in a line of the kind `stop` or `resume`."""
        data = json.loads(row["data"])
        self._told[data["id"]] = (data, row["seq"])

    def faults(self, connection: Connection) -> Iterator[Fault]:
        """What differs, is gone, or was never told of."""
        missing = dict(self._told)
        for row in connection.execute(_ROWS).mappings():
            name = f"stop {row['id']}"
            if row["id"] not in missing:
                yield Fault("no line tells of the stop", None, name, "stop.id")
                continue
            data, seq = missing.pop(row["id"])
            for column, fit in _fits(data, row["salt"]).items():
                if not fit.fits(row[column]):
                    words = f"stop.{column} differs: the line says {fit.shown()}"
                    yield Fault(words, seq, name, f"stop.{column}")
        for stop_id, (_, seq) in missing.items():
            yield Fault("its stop's row is gone", seq, f"stop {stop_id}", "stop.id")


def _fits(data: Mapping[str, Any], salt: str) -> dict[str, Fits]:
    columns = [column.name for column in rows.columns if column.name != "salt"]
    return {name: Salted(data[name], salt) if name in SALTED else Exactly(data[name]) for name in columns}
