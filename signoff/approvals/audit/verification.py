"""The whole log, walked once in pages: each line follows from the one before, and the rows are as it says.

Everything is read in one view of the database, so that what happens meanwhile is no fault. What is held at a
time is a page of lines and the rows of some approvals, however long the log is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, select

from signoff.approvals.audit import others, rows
from signoff.approvals.audit.account import OF_ALL, OF_AN_APPROVAL
from signoff.approvals.audit.rows import BATCH, Fault, Tally
from signoff.approvals.audit.told import Said
from signoff.models.engine import snapshot
from signoff.models.log import START, Head, events, line_hash
from signoff.models.store import Store
from signoff.receipts import VerifyKeys

PAGE = 1000
"""Lines that are held at a time."""
_PAGE = (
    select(events).where(events.c.seq > bindparam("after")).order_by(events.c.seq).limit(bindparam("most"))
)
_OF_ALL = select(events).where(events.c.kind.in_(OF_ALL)).order_by(events.c.seq)


@dataclass(frozen=True)
class Restore:
    """Where the log tells that the database was put back: the line, when, and from a backup of when.

    `head` is the log's at that time: what came after it in the log before is lost.
    """

    seq: int
    epoch: int
    at: int
    backup_at: int | None


@dataclass(frozen=True)
class Verification:
    """What `verify` found: `lines` good ones, then, in `seq`, the first bad one and why, in `fault`.

    Where a row differs, `row` names whose it is and `column` which (`table.column`); `seq` is then the line
    that says otherwise, None where no line tells of the row. `restores` are those that the log tells of.
    `noted` is whether it holds the noted head, None without one; `unseen` are noted heads that it does not
    hold. `approvals` counts what was compared, `unknown_keys` receipts signed by keys that were not given.
    """

    lines: int
    head: str
    seq: int | None = None
    fault: str = ""
    restores: tuple[Restore, ...] = ()
    noted: bool | None = None
    row: str = ""
    column: str = ""
    unseen: tuple[Head, ...] = ()
    approvals: int = 0
    unknown_keys: int = 0

    @property
    def ok(self) -> bool:
        """True when every line holds, and every row is as the lines say."""
        return not self.fault


@dataclass
class Walk:
    """Where a verification stands."""

    lines: int = 0
    previous: str = START
    restores: list[Restore] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


def verify(
    store: Store,
    noted: str | None = None,
    *,
    keys: VerifyKeys | None = None,
    heads: Mapping[int, str] | None = None,
) -> Verification:
    """Walk the whole chain, and compare every row with what the lines say.

    `noted` is a head that was written down earlier: where the log does not hold it any more, it was cut off.
    `heads` are many such, by the count of lines: a witness's. With `keys` receipts' signatures are checked.
    """
    with snapshot(store.engine) as connection:
        return verify_all(connection, noted, keys=keys, heads=heads)


def verify_all(
    connection: Connection,
    noted: str | None = None,
    *,
    keys: VerifyKeys | None = None,
    heads: Mapping[int, str] | None = None,
) -> Verification:
    """The same over a connection, in whose transaction everything is read."""
    walk, wanted = Walk(), dict(heads or {})
    found_noted = None if noted is None else noted == START
    wanted = {count: found for count, found in wanted.items() if (count, found) != (0, START)}
    held = others.Others()
    fault: Fault | None = None
    told = [rows.read(dict(line)) for line in connection.execute(_OF_ALL).mappings()]
    while True:
        values = {"after": walk.lines, "most": PAGE}
        page = [dict(line) for line in connection.execute(_PAGE, values).mappings()]
        asked, fault = [], None
        for line in page:
            fault = _chain_fault(line, walk) or held.read(connection, line)
            if fault:
                break
            walk.lines, walk.previous = line["seq"], line["hash"]
            if wanted.get(walk.lines) == walk.previous:
                del wanted[walk.lines]
            found_noted = found_noted or (walk.previous == noted if noted is not None else None)
            if line["kind"] == "submit":
                asked.append(line["approval_id"])
            if line["kind"] == "restored":
                walk.restores.append(_restore(line))
        fault = fault or _rows_fault(connection, asked, told, keys, walk.tally)
        if fault or len(page) < PAGE:
            break
    fault = fault or held.fault(connection)
    tally = walk.tally
    return Verification(
        # What a fault is not about holds: lines before it.
        lines=min(walk.lines, fault.seq - 1) if fault and fault.seq else walk.lines,
        head=walk.previous,
        seq=fault.seq if fault else None,
        fault=fault.what if fault else "",
        restores=tuple(walk.restores),
        noted=found_noted,
        row=fault.row if fault else "",
        column=fault.column if fault else "",
        unseen=() if fault else tuple(Head(count, one) for count, one in sorted(wanted.items())),
        approvals=tally.approvals,
        unknown_keys=tally.unknown_keys,
    )


def _rows_fault(
    connection: Connection, asked: list[str], told: list[Said], keys: VerifyKeys | None, tally: Tally
) -> Fault | None:
    for ids in _batches(asked):
        fault = rows.compare(connection, ids, told, keys, tally)
        if fault:
            return fault
    return None


def _batches(ids: list[str]) -> Iterator[list[str]]:
    left = iter(dict.fromkeys(ids))
    while batch := list(islice(left, BATCH)):
        yield batch


def _chain_fault(line: dict[str, Any], walk: Walk) -> Fault | None:
    """What is wrong with a line itself, and with its place."""
    seq = line["seq"]
    content = {name: value for name, value in line.items() if name != "hash"}
    if seq != walk.lines + 1:
        return Fault(f"line {walk.lines + 1} is missing", seq)
    if line["previous"] != walk.previous:
        return Fault("it does not follow from the line before", seq)
    if line_hash(content) != line["hash"]:
        return Fault("it was changed", seq)
    if line["approval_id"] is not None and line["kind"] not in OF_AN_APPROVAL:
        return Fault(f"a line {line['kind']!r} is of no kind that is known", seq)
    return None


def _restore(line: Mapping[str, Any]) -> Restore:
    data = json.loads(line["data"])
    return Restore(line["seq"], data["epoch"], line["at"], data["backup_at"])
