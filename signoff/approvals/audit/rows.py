"""Rows beside the log: each approval's against what its lines say, a batch at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, bindparam, select

from signoff.approvals.audit import counted
from signoff.approvals.audit.account import Account
from signoff.approvals.audit.fits import Exactly, Judged
from signoff.approvals.audit.token import differing
from signoff.approvals.audit.told import Contradiction, Row, Said, Told
from signoff.models.changes import clock
from signoff.models.feedback_rows import rows as feedback
from signoff.models.log import events, line_hash
from signoff.models.receipt_claims import APPROVAL
from signoff.models.store import approvals, cards, decisions, payloads
from signoff.models.sums import amounts
from signoff.models.talk_rows import notes, talks
from signoff.receipts import VerifyKeys

BATCH = 100
"""Approvals whose rows are held at a time."""
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_LINES = select(events).where(events.c.approval_id.in_(_IDS)).order_by(events.c.seq)
_APPROVALS = select(approvals).where(approvals.c.id.in_(_IDS))


def _of(table: Table, *order: str) -> Any:
    column = table.c.approval_id
    return select(table).where(column.in_(_IDS)).order_by(column, *(table.c[name] for name in order))


_PAYLOADS = _of(payloads, "version")
_DECISIONS = _of(decisions, "id")
_CARDS = _of(cards, "id")
_AMOUNTS = _of(amounts, "sum")
_TALKS = _of(talks, "id")
_NOTES = _of(notes, "id")
_FEEDBACK = _of(feedback)


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong. `seq` is the line that says otherwise; None where there is no line.

    `row` names the approval or the other thing whose row it is, `column` is `table.column`; either is empty
    where the fault is the log's own.
    """

    what: str
    seq: int | None = None
    row: str = ""
    column: str = ""


@dataclass
class Tally:
    """What a comparison met: approvals, and receipts signed by keys that were not given."""

    approvals: int = 0
    unknown_keys: int = 0


def compare(
    connection: Connection,
    ids: Sequence[str],
    restores: Sequence[Said],
    keys: VerifyKeys | None,
    tally: Tally,
) -> Fault | None:
    """What is wrong with the rows of these approvals, by the lowest line; None where nothing is."""
    values = {"ids": list(ids)}
    lines = _grouped(connection.execute(_LINES, values).mappings())
    found = {row["id"]: dict(row) for row in connection.execute(_APPROVALS, values).mappings()}
    queries = (_PAYLOADS, _DECISIONS, _CARDS, _AMOUNTS, _TALKS, _NOTES, _FEEDBACK)
    parts = [_grouped(connection.execute(one, values).mappings()) for one in queries]
    faults, now = [], clock(connection)
    for approval_id in ids:
        rows = Rows(found.get(approval_id), *(part[approval_id] for part in parts))
        tally.approvals += 1
        fault = _first(rows, approval_id, lines[approval_id], restores, keys, tally, now)
        if fault:
            faults.append(fault)
    return min(faults, key=lambda one: one.seq or 0, default=None)


def read(line: Mapping[str, Any]) -> Said:
    """A row of the log → the line."""
    return Said(line["seq"], line["kind"], line["at"], line["actor"], json.loads(line["data"]))


@dataclass(frozen=True)
class Rows:
    """All rows of one approval."""

    approval: Mapping[str, Any] | None
    payloads: Sequence[Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]
    cards: Sequence[Mapping[str, Any]]
    amounts: Sequence[Mapping[str, Any]]
    talks: Sequence[Mapping[str, Any]]
    notes: Sequence[Mapping[str, Any]]
    feedback: Sequence[Mapping[str, Any]]

    @property
    def text(self) -> str | None:
        """The text of its last payload."""
        return self.payloads[-1]["text"] if self.payloads else None


def _first(
    rows: Rows,
    approval_id: str,
    lines: Sequence[Mapping[str, Any]],
    restores: Sequence[Said],
    keys: VerifyKeys | None,
    tally: Tally,
    now: int,
) -> Fault | None:
    name = f"approval {approval_id}"
    salts = {row["version"]: row["salt"] for row in rows.payloads}
    account = Account(approval_id, salts)
    try:
        since = lines[0]["seq"] if lines else 0
        account.add([read(line) for line in lines], [one for one in restores if one.seq > since])
    except Contradiction as error:
        fault = Fault(error.what, error.seq, name)
    else:
        faults = [fault for fault in _faults(rows, account, name) if fault]
        if not faults and rows.approval and rows.approval["receipt"] and account.receipt:
            faults.extend(_of_receipt(rows, account.receipt, keys, tally, name))
        if not faults:
            faults.extend(_of_sums(rows, account, now, name))
        if not faults:
            return None
        fault = min(faults, key=lambda one: one.seq or 0)
    for line in lines:  # a line that was changed says nothing against a row
        if (
            line["seq"] == fault.seq
            and line_hash({k: v for k, v in line.items() if k != "hash"}) != line["hash"]
        ):
            return Fault("it was changed", fault.seq)
    return fault


def _faults(rows: Rows, account: Account, name: str) -> Iterator[Fault | None]:
    if rows.approval is None:
        seq = account.approval["id"].seq
        yield Fault("its approval's row is gone", seq, name, "approval.id")
        return
    if "verdict" not in account.approval:
        yield Fault("no line tells of its verdict", account.approval["id"].seq, name, "approval.verdict")
    yield _row(rows.approval, account.approval, "approval", name)
    yield from _payloads(rows.payloads, account, name)
    yield from _votes(rows.decisions, account, name)
    yield from _cards(rows.cards, account, name)
    yield from _words_of(rows.talks, account.talks, "talk", name)
    yield from _words_of(rows.notes, account.notes, "note", name)
    yield _feedback(rows, account, name)
    yield _kind(rows, account, name)


def _row(row: Mapping[str, Any], told: Row, table: str, name: str) -> Fault | None:
    wrong = {column: one for column, one in told.items() if not one.fit.fits(row[column])}
    if not wrong:
        return None
    column, one = min(wrong.items(), key=lambda item: item[1].seq)
    return Fault(_words(f"{table}.{column}", row[column], one), one.seq, name, f"{table}.{column}")


def _words(column: str, value: Any, told: Told) -> str:
    if column == "payload.text":
        return "its payload was changed"
    if isinstance(told.fit, Judged):
        fields = ", ".join(told.fit.differing(value))
        return f"{column} differs in {fields}: the line says {told.fit.shown()}"
    return f"{column} differs: the line says {told.fit.shown()}"


def _payloads(found: Sequence[Mapping[str, Any]], account: Account, name: str) -> Iterator[Fault | None]:
    rows = {row["version"]: row for row in found}
    for version, told in account.payloads.items():
        seq, row = told["text"].seq, rows.pop(version, None)
        whose = f"{name}, version {version}"
        if row is None:
            yield Fault("its payload's row is gone", seq, whose, "payload.version")
        elif (
            row["erased_at"] is not None
        ):  # without its salt nothing that its approval says could be compared
            yield Fault(
                "a payload is marked as erased, and no line tells of that", seq, whose, "payload.erased_at"
            )
        elif row["text"] is None or row["salt"] is None:
            column = "text" if row["text"] is None else "salt"
            yield Fault(f"payload.{column} is gone", seq, whose, f"payload.{column}")
        else:
            yield _row(row, told, "payload", whose)
    for version in rows:
        yield Fault("no line tells of a payload", None, f"{name}, version {version}", "payload.version")


def _votes(found: Sequence[Mapping[str, Any]], account: Account, name: str) -> Iterator[Fault | None]:
    rows = list(found)
    for told in account.decisions:
        if not rows:
            yield Fault("its decision's row is gone", told["at"].seq, name, "decision.id")
            return
        # The one it tells of, else the one that stands in its place.
        same = next((row for row in rows if _row(row, told, "decision", name) is None), None)
        if same is None and len(rows) > len(account.decisions):
            yield Fault("its decision's row is gone", told["at"].seq, name, "decision.id")
            return
        row = same or rows[0]
        rows.remove(row)
        yield _row(row, told, "decision", f"{name}, decision {row['id']}")
    for row in rows:
        yield Fault("no line tells of a decision", None, f"{name}, decision {row['id']}", "decision.id")


def _cards(found: Sequence[Mapping[str, Any]], account: Account, name: str) -> Iterator[Fault | None]:
    rows, cards = {row["id"]: row for row in found}, dict(account.cards)
    if None in cards and found:  # lines of before: the card is the one that there was
        cards.setdefault(found[0]["id"], cards.pop(None))
    for number, told in cards.items():
        row = rows.pop(number, None)
        if row is None:
            yield Fault("its card's row is gone", told["message"].seq, name, "card.id")
        else:
            yield _row(row, told, "card", f"{name}, card {number}")
    for number, row in rows.items():
        if row["message"] is not None:
            whose = f"{name}, card {number}"
            yield Fault("no line tells of a card that stands", None, whose, "card.message")


def _kind(rows: Rows, account: Account, name: str) -> Fault | None:
    """Its kind stands in its claims, which a line tells of; where it does not, it is an approval's."""
    assert rows.approval is not None
    try:
        kind = json.loads(rows.payloads[0]["claims"]).get("kind", APPROVAL)
    except (IndexError, TypeError, ValueError, AttributeError):
        return None  # which is a fault by itself
    told = Told(Exactly(kind), account.approval["id"].seq)
    return _row(rows.approval, {"kind": told}, "approval", name)


def _feedback(rows: Rows, account: Account, name: str) -> Fault | None:
    """What somebody has said of an outcome; one row at most, which says nothing until somebody has. Whose
    lesson it is, and of what, it says by itself.
    """
    told, row = account.feedback, rows.feedback[0] if rows.feedback else None
    if row is not None:
        whose = {column: account.approval[column] for column in ("agent", "action")}
        if fault := _row(row, whose, "feedback", name):
            return fault
    if told and row is None:
        return Fault("its feedback's row is gone", told["answer"].seq, name, "feedback.approval_id")
    if row is None or told:
        return _row(row, told, "feedback", name) if row else None
    if row["answer"] is not None:
        return Fault("no line tells of its feedback", None, name, "feedback.answer")
    return None


def _words_of(
    found: Sequence[Mapping[str, Any]], told: Mapping[str, Row], table: str, name: str
) -> Iterator[Fault | None]:
    """People's questions and the answers to them, or their notes."""
    rows = {row["id"]: row for row in found}
    for number, one in told.items():
        row = rows.pop(number, None)
        if row is None:
            yield Fault(f"its {table}'s row is gone", one["id"].seq, name, f"{table}.id")
        else:
            yield _row(row, one, table, f"{name}, {table} {number}")
    for number in rows:
        yield Fault(f"no line tells of a {table}", None, f"{name}, {table} {number}", f"{table}.id")


def _of_receipt(rows: Rows, line: Said, keys: VerifyKeys | None, tally: Tally, name: str) -> Iterator[Fault]:
    assert rows.approval is not None
    found = differing(rows.approval, rows.decisions, rows.text, line, keys)
    if found.unknown_key:
        tally.unknown_keys += 1
    if found.what:
        yield Fault(found.what, line.seq, name, "approval.receipt")


def _of_sums(rows: Rows, account: Account, now: int, name: str) -> Iterator[Fault]:
    assert rows.approval is not None and rows.text is not None
    found = counted.differing(rows.approval, rows.text, rows.amounts, now)
    if found:
        line = account.receipt.seq if account.receipt else account.approval["verdict"].seq
        yield Fault(found[0], line, name, f"amount.{found[1]}")


def _grouped(rows: Iterable[Any]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["approval_id"]].append(dict(row))
    return found
