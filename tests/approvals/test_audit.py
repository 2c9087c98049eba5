"""The log: it verifies, names the first bad line, and the database refuses to change one."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import exc, text
from support import Core, without_triggers

from signoff.approvals import audit
from signoff.payload.canonical import canonical, digest


def some_history(core: Core) -> None:
    for number in range(3):
        approval = core.submit(payload={"number": number})
        core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload={"number": number + 10})


def test_an_untouched_log_verifies(core: Core) -> None:
    assert audit.verify(core.store) == audit.Verification(0, audit.START)
    some_history(core)
    found = audit.verify(core.store)
    assert found.ok and found.lines == 15


@pytest.mark.parametrize(
    ("change", "seq", "fault"),
    [
        ("UPDATE audit_event SET actor='U0EVE' WHERE seq=4", 4, "changed"),
        ("UPDATE audit_event SET at=at+1 WHERE seq=7", 7, "changed"),
        ("UPDATE audit_event SET data='{}' WHERE seq=2", 2, "changed"),
        ("UPDATE audit_event SET previous='x' WHERE seq=3", 3, "follow"),
        ("DELETE FROM audit_event WHERE seq=5", 6, "line 5 is missing"),
        ("DELETE FROM audit_event WHERE seq=1", 2, "line 1 is missing"),
        ("UPDATE payload SET text='{}' WHERE version=1", 1, "payload was changed"),
        ("UPDATE payload SET text='{}' WHERE version=2", 3, "payload was changed"),
        ("DELETE FROM payload WHERE version=2", 3, "payload's row is gone"),
    ],
)
def test_the_first_bad_line_is_named(core: Core, change: str, seq: int, fault: str) -> None:
    some_history(core)
    with core.store.transaction() as connection:
        without_triggers(connection)
        connection.execute(text(change))
    found = audit.verify(core.store)
    assert not found.ok and found.seq == seq and fault in found.fault


def test_an_erased_payload_is_a_fault_as_long_as_no_line_tells_of_one(core: Core) -> None:
    some_history(core)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE payload SET text=NULL, salt=NULL, claims=NULL, erased_at=1"))
    found = audit.verify(core.store)
    assert (found.ok, found.seq, found.column) == (False, 1, "payload.erased_at")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor='x'",
        "DELETE FROM audit_event",
        "INSERT OR REPLACE INTO audit_event SELECT seq, approval_id, kind, at, 'x', data, previous, hash "
        "FROM audit_event WHERE seq=1",
        "TRUNCATE audit_event",
    ],
)
def test_the_database_refuses_to_change_a_line(core: Core, statement: str) -> None:
    some_history(core)
    sqlite = core.store.engine.dialect.name == "sqlite"
    if sqlite == statement.startswith("TRUNCATE") and statement.startswith(("TRUNCATE", "INSERT OR")):
        return  # the other database's word for it
    if not sqlite and statement.startswith("INSERT OR"):
        return
    with pytest.raises(exc.DBAPIError), core.store.transaction() as connection:
        connection.execute(text(statement))
    assert audit.verify(core.store).ok


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=4),
    number=st.integers(0, 2**53 - 1),
)
def test_a_lines_hash_is_of_its_canonical_text(texts: list[str], number: int) -> None:
    line = {
        "seq": number, "approval_id": None, "kind": texts[0], "at": number, "actor": texts[1],
        "data": texts[2], "previous": texts[3],
    }  # fmt: skip
    assert audit.line_hash(line) == digest(canonical(line))


def test_transactions_at_once_make_one_chain(core: Core) -> None:
    barrier, faults = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        try:
            for _ in range(5):
                approval = core.submit()
                core.approvals.decide(approval.id, 1, "U0ANA", "approve")
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not faults
    found = audit.verify(core.store)
    assert found.ok and found.lines == 80
