"""Rows that are no approval's: agents, policies and epochs; and rows that no line tells of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, exists, func, select

from signoff.approvals.audit.fits import Exactly, Fits, Near
from signoff.approvals.audit.frozen import Frozen
from signoff.approvals.audit.rows import Fault
from signoff.approvals.audit.stopped import Stops
from signoff.models.absences import rows as absences
from signoff.models.feedback_rows import rows as feedback
from signoff.models.log import events, sha256
from signoff.models.policies import policies
from signoff.models.store import agents, approvals, cards, decisions, payloads
from signoff.models.sums import amounts
from signoff.models.tables import EpochRow

epochs = EpochRow.__table__  # type: ignore[attr-defined]

_WITHOUT_LINE = (
    select(func.min(approvals.c.id))
    .select_from(approvals)
    .where(~exists().where(events.c.approval_id == approvals.c.id, events.c.kind == "submit"))
)
_WITHOUT_ROW = select(func.min(events.c.seq)).where(
    events.c.approval_id.is_not(None), ~exists().where(approvals.c.id == events.c.approval_id)
)


@dataclass
class Others:
    """What lines have told so far of agents, policies and epochs: there are few of each."""

    _agents: dict[str, dict[str, tuple[Fits, int]]] = field(default_factory=dict)
    _policies: dict[str, tuple[Fits, int]] = field(default_factory=dict)
    """By digest: since when, as the last line says."""
    _epochs: dict[int, dict[str, tuple[Fits, int]]] = field(default_factory=dict)

    _absences: dict[int, dict[str, tuple[Fits, int]]] = field(default_factory=dict)
    _batches: Frozen = field(default_factory=Frozen)
    _stops: Stops = field(default_factory=Stops)

    def read(self, connection: Connection, line: Mapping[str, Any]) -> Fault | None:
        """Take in a line of the log; gives a fault where what it names is not there or was changed."""
        match line["kind"]:
            case "submit":
                self._submit(line)
            case "agent":
                self._agent(line)
            case "policy":
                return self._policy(connection, line)
            case "restored":
                self._restored(line)
            case "away" | "back":
                self._absence(line)
            case "batch":
                self._batches.read(line)
            case "stop" | "resume":
                self._stops.read(line)
        return None

    def fault(self, connection: Connection) -> Fault | None:
        """What is wrong with the rows, once the log was read: they differ, or are missing."""
        faults = [fault for fault in self._faults(connection) if fault]
        return min(faults, key=lambda one: one.seq or 1 << 62, default=None)

    def _submit(self, line: Mapping[str, Any]) -> None:
        name, seq = line["actor"], line["seq"]
        first = name not in self._agents
        if first:
            values = {"created_at": line["at"], "name": name, "added_owner": None}
            self._agents[name] = {column: (Exactly(value), seq) for column, value in values.items()}
        if '"owner"' in line["data"]:
            data = json.loads(line["data"])
            if "owner" in data:
                self._agents[name]["owner"] = (Exactly(data["owner"]), seq)

    def _agent(self, line: Mapping[str, Any]) -> None:
        """Somebody added an agent, or changed what is known of it: all else in the line are its columns."""
        data = json.loads(line["data"])
        name = data.pop("agent")
        told = self._agents.setdefault(name, {"name": (Exactly(name), line["seq"])})
        told |= {column: (Exactly(value), line["seq"]) for column, value in data.items()}

    def _policy(self, connection: Connection, line: Mapping[str, Any]) -> Fault | None:
        data, seq = json.loads(line["data"]), line["seq"]
        for name, owner in data.get("owners", {}).items():
            self._agents.setdefault(name, {})["owner"] = (Exactly(owner), seq)
        text = data["text"]
        self._policies[text] = (Near(line["at"]), seq)
        row = connection.execute(select(policies).where(policies.c.digest == text)).mappings().first()
        name = f"policy {text[:16]}"
        if row is None:
            return Fault("its policy's row is gone", seq, name, "policy.digest")
        if sha256(row["text"]) != text:
            return Fault("its policy was changed", seq, name, "policy.text")
        if row["since"] < 1 or row["fault"] is not None:
            return Fault("its policy counts as one that never was in force", seq, name, "policy.since")
        return None

    def _restored(self, line: Mapping[str, Any]) -> None:
        data, seq = json.loads(line["data"]), line["seq"]
        values = {"number": data["epoch"], "started_at": line["at"], "backup_at": data["backup_at"]}
        self._epochs[data["epoch"]] = {column: (Exactly(value), seq) for column, value in values.items()}

    def _absence(self, line: Mapping[str, Any]) -> None:
        """Somebody is away, or back: all else in the line are columns of its row."""
        data = json.loads(line["data"])
        number = data.pop("absence")
        if line["kind"] == "away":
            values = {"id": number, "by_id": line["actor"], "ended_at": None, **data}
        else:
            values = data
        told = self._absences.setdefault(number, {})
        told |= {column: (Exactly(value), line["seq"]) for column, value in values.items()}

    def _faults(self, connection: Connection) -> Iterator[Fault | None]:
        yield from self._compared(connection, agents, "name", self._agents, "agent")
        yield from self._compared(connection, epochs, "number", self._epochs, "epoch")
        yield from self._compared(connection, absences, "id", self._absences, "absence")
        yield from self._in_force(connection)
        yield from self._batches.faults(connection)
        yield from self._stops.faults(connection)
        if seq := connection.execute(_WITHOUT_ROW).scalar():
            yield Fault("its approval's row is gone", seq, "", "approval.id")
        if found := connection.execute(_WITHOUT_LINE).scalar():
            yield Fault("no line tells of an approval", None, f"approval {found}", "approval.id")
        yield from _orphans(connection)

    def _in_force(self, connection: Connection) -> Iterator[Fault | None]:
        """Each policy since when its last line says: the newest judges where the file cannot be used."""
        for row in connection.execute(select(policies.c.digest, policies.c.since, policies.c.fault)):
            name = f"policy {row.digest[:16]}"
            if row.digest in self._policies:
                fit, seq = self._policies[row.digest]
                if not fit.fits(row.since):
                    yield Fault(
                        f"policy.since differs: the line says {fit.shown()}", seq, name, "policy.since"
                    )
            elif row.since or row.fault is None:
                yield Fault("no line tells of a policy", None, name, "policy.digest")

    def _compared(
        self, connection: Connection, table: Any, key: str, told: Mapping[Any, Any], what: str
    ) -> Iterator[Fault | None]:
        rows = {row[key]: row for row in connection.execute(select(table)).mappings()}
        for name, columns in told.items():
            row = rows.pop(name, None)
            if row is None:
                seq = next(iter(columns.values()))[1]
                yield Fault(f"its {what}'s row is gone", seq, f"{what} {name}", f"{what}.{key}")
                continue
            for column, (fit, seq) in columns.items():
                if not fit.fits(row[column]):
                    words = f"{what}.{column} differs: the line says {fit.shown()}"
                    yield Fault(words, seq, f"{what} {name}", f"{what}.{column}")
        for name in rows:
            yield Fault(f"no line tells of the {what}", None, f"{what} {name}", f"{what}.{key}")


def _orphans(connection: Connection) -> Iterator[Fault | None]:
    """Rows of an approval that is in no row: they hang in the air, where foreign keys were not enforced."""
    for table in (payloads, decisions, cards, amounts, feedback):
        lost = ~exists().where(approvals.c.id == table.c.approval_id)
        found = connection.execute(select(table.c.approval_id).where(lost).limit(1)).scalar()
        if found is not None:
            name = f"approval {found}"
            yield Fault(
                f"a row of `{table.name}` belongs to no approval", None, name, f"{table.name}.approval_id"
            )
