"""The rows and the log are changed together or alone: on a copy of the database, held against the log."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from typing import Any

from attacks.database import Copy
from attacks.world import NotTried, World, held
from signoff.approvals.audit import said

PAYLOAD = {"customer": "cus_42", "amount": 120}
HOUR = 3_600_000_000


def _past(world: World) -> None:
    """Something has been decided."""
    if not world.rows("decision"):
        world.approved("log-bot", "refund.logged", PAYLOAD)


def _says(world: World, copy: Copy, *options: str) -> tuple[int, str]:
    return world.signoff("audit", "verify", *options, SIGNOFF_DATABASE_URL=copy.url)


def somebody_else_has_approved_it(world: World) -> None:
    """`UPDATE decision SET approver`: `signoff audit verify` names it, also where it is told a head."""
    _past(world)
    with world.copied() as copy:
        code, told = _says(world, copy)
        if code:
            raise NotTried(f"the log does not hold as it is: {told}")
        head = told.split("head ")[1].split()[0]
        copy.run("UPDATE decision SET approver = 'U0EVE00001', name = 'eve'")
        for options in ((), ("--head", head)):
            code, told = _says(world, copy, *options)
            held(code == 1 and "decision.approver" in told, f"{code}: {told}")


def the_log_is_emptied_beside_the_rows(world: World) -> None:
    """`DELETE FROM audit_event`: `signoff audit verify` refuses an empty log."""
    _past(world)
    with world.copied() as copy:
        copy.run("DELETE FROM audit_event")
        code, told = _says(world, copy)
        held(code == 1, f"{code}: {told}")


def the_end_of_the_log_is_cut_off(world: World) -> None:
    """All but its beginning, and a line in the middle: rows are left that no line tells of."""
    _past(world)
    for where in ("seq > 3", "seq = 2"):
        with world.copied() as copy:
            copy.run(f"DELETE FROM audit_event WHERE {where}")
            held(not copy.verifies().ok, f"nothing is missed: {where}")


def the_last_line_of_the_log_is_cut_off(world: World) -> None:
    """One line, which may tell nothing that the rows hold: a witness's head shows it."""
    _past(world)
    witness = _witness(world)
    with world.copied() as copy:
        copy.run("DELETE FROM audit_event WHERE seq = (SELECT max(seq) FROM audit_event)")
        code, told = _says(world, copy, "--witness", witness)
        held(code == 1, f"{code}: {told}")


def _witness(world: World) -> str:
    """A file with the head of now, as the server gives it to its witnesses."""
    file = world.folder / "witness.log"
    file.write_text(world.head() + "\n")
    return str(file)


def the_log_is_written_anew(world: World) -> None:
    """Log and rows tell another story together, hashes and all: a witness's head shows it."""
    _past(world)
    witness = _witness(world)
    with world.copied() as copy:
        copy.run("UPDATE card SET message = '1.000001' WHERE message IS NOT NULL")
        copy.write_anew(lambda event: event.kind == "shown", message="1.000001")
        if not copy.verifies().ok:
            raise NotTried(f"it was not written well enough: {copy.verifies()}")
        code, told = _says(world, copy, "--witness", witness)
        held(code == 1 and "written anew" in told, f"{code}: {told}")


def the_log_is_written_anew_with_another_approver(world: World) -> None:
    """The same, saying that eve has approved: the signed receipt says otherwise, without any witness."""
    _past(world)
    with world.copied() as copy:
        copy.run("UPDATE decision SET approver = 'U0EVE00001'")
        copy.write_anew(lambda event: event.kind == "decision", actor="U0EVE00001", approver="U0EVE00001")
        found = copy.verifies()
        held(not found.ok and "receipt" in found.fault, str(found))


def a_line_of_the_log_is_changed_in_place(world: World) -> None:
    """As the server's own database user: `UPDATE` and `DELETE` of lines are refused."""
    for statement in ("UPDATE audit_event SET actor = 'U0EVE'", "DELETE FROM audit_event", "REPLACE"):
        if statement == "REPLACE":
            statement = "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event LIMIT 1"
        try:
            with world.database() as connection:
                connection.execute(statement)
        except sqlite3.DatabaseError:
            continue
        held(False, statement)


def any_column_that_decides_is_changed(world: World) -> None:
    """Every column that a line tells of, in every table: the column is named each time."""
    _past(world)
    passed, tried = [], 0
    with world.copied() as copy:
        held(copy.verifies().ok, f"the log does not hold as it is: {copy.verifies()}")
        for table, column in _told():
            for other in _others(copy, table, column):
                found = copy.after(f"UPDATE {table} SET {column} = :other", other=other)
                tried += found is not None
                if found is not None and (found.ok or (table == "decision" and not found.column)):
                    passed.append(f"{table}.{column} = {other!r}")
    held(tried > 30 and not passed, f"{tried} were tried, not found: {passed}")


def _told() -> Iterator[tuple[str, str]]:
    """Table and column of what the log answers for, but for those that are a row's own name."""
    for table, columns in said.SAID.items():
        if not isinstance(columns, said.Unsaid):
            for column, place in columns.items():
                if isinstance(place, said.Line) and column not in (
                    "id",
                    "approval_id",
                    "name",
                    "digest",
                    "number",
                ):
                    yield table, column


def _others(copy: Copy, table: str, column: str) -> Iterator[Any]:
    held_now = copy.value(f"SELECT max({column}) FROM {table}")
    if held_now is None and not copy.value(f"SELECT count(*) FROM {table}"):
        return
    if isinstance(held_now, int):
        yield held_now + HOUR
    else:
        yield f"{held_now or ''} U0EVE"


def a_row_is_planted_or_taken_away(world: World) -> None:
    """A decision, a payload's version, an agent that no line tells of; and one of each deleted."""
    _past(world)
    for statement in (
        "INSERT INTO payload SELECT approval_id, 9, text, salt, claims, erased_at FROM payload LIMIT 1",
        "INSERT INTO agent (name, created_at) VALUES ('eve', 1)",
        "UPDATE decision SET withdrawn_at = at WHERE id = (SELECT max(id) FROM decision)",
        "DELETE FROM decision WHERE id = (SELECT max(id) FROM decision)",
        "DELETE FROM payload WHERE approval_id = (SELECT approval_id FROM decision LIMIT 1)",
    ):
        with world.copied() as copy:
            copy.run(statement)
            held(not copy.verifies().ok, f"not found: {statement}")


def an_export_is_changed(world: World) -> None:
    """A line of a bundle that auditors get, changed or left out: their own verifier refuses it."""
    _past(world)
    code, script = world.signoff("audit", "verifier")
    file, bundle = world.folder / "signoff-verify.py", world.folder / "bundle.zip"
    file.write_text(script)
    code, told = world.signoff("audit", "export", str(bundle))
    if code:
        raise NotTried(f"signoff audit export: {code}, {told}")
    key = ("--key", world.verify_key)
    code, told = world.python(str(file), "bundle", str(bundle), *key)
    if code:
        raise NotTried(f"the bundle does not verify as it is: {told}")
    for change in (lambda text: text.replace("refund", "draft", 1), lambda text: text.partition("\n")[2]):
        forged = world.folder / "forged.zip"
        with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(forged, "w") as new:
            for name in old.namelist():
                text = old.read(name).decode()
                new.writestr(name, change(text) if name == "lines.jsonl" else text)
        code, told = world.python(str(file), "bundle", str(forged), *key)
        held(code == 1, f"{code}: {told}")
