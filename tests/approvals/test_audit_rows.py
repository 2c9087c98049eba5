"""The log answers for the rows: whatever is changed in one, added or taken away, is found and named."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import BigInteger, Boolean, Connection, Integer, text
from sqlmodel import SQLModel
from support import Core, without_triggers

from signoff.approvals import audit, epochs
from signoff.approvals.audit import account, said
from signoff.approvals.audit.verification import Verification, verify_all
from signoff.approvals.guarded import Guarded
from signoff.models import changes, migrate, policies
from signoff.models.engine import open_engine
from signoff.models.messages import Freeze, Outcome, Reply
from signoff.models.questions import GivenAnswer
from signoff.models.stops import StopScope
from signoff.models.store import Store
from signoff.receipts import Signer, verify_keys
from signoff.spent import Spent

TABLES = {table.name: table for table in SQLModel.metadata.sorted_tables}
SAID = [
    (table, column)
    for table, columns in said.SAID.items()
    if not isinstance(columns, said.Unsaid)
    for column, place in columns.items()
    if isinstance(place, said.Line)
]
HOUR = 3_600_000_000


def history(core: Core) -> None:
    """Everything that can happen to a request, to each of them something else."""
    approvals = core.approvals
    core.submit(key="order-1", run="run-1", reason="because")
    edited = core.submit(payload={"number": 1})
    show(core, edited.id, "1.1")
    approvals.decide(edited.id, 1, "U0ANA", "approve", payload={"number": 10}, reason="so")
    show(core, edited.id, "1.1")
    approvals.spend("billing-bot", edited.request_id, "a-process-of-theirs")
    approvals.report("billing-bot", edited.request_id, Outcome(succeeded=True, note="done", result="re_1"))
    Guarded(core.store, "a-token").spend(
        ("kid", "billing-bot", edited.request_id), Spent("their-try", datetime.now(UTC)),
        until=datetime.now(UTC),
    )  # fmt: skip
    rejected = core.submit(payload={"number": 2})
    approvals.decide(rejected.id, 1, "U0BEN", "reject", reason="no", resubmit=True)
    withdrawn = core.submit(payload={"number": 3})
    approvals.cancel("billing-bot", withdrawn.request_id, "never mind")
    core.follow("rules: [{name: talk, match: {action: refund.*}, verdict: ask, talk: +10m}]")
    talked = core.submit(payload={"number": 7})
    asked = [approvals.talks.ask(talked.id, 1, "U0ANA", f"Why {number}?") for number in (1, 2, 3)]
    approvals.talks.reply("billing-bot", asked[0].id, Reply(text="So."))
    approvals.talks.reply("billing-bot", asked[1].id, Reply(unable=True))
    approvals.talks.note(talked.id, "U0ANA", "Mind the date.")
    approvals.cancel("billing-bot", talked.request_id)
    question = {"question": "Which one?", "free_text": True}
    answered = core.submit(kind="question", action="question", payload=question)
    approvals.times.hands.hand(answered.id, 1, "U0ANA", "U0BEN")
    approvals.questions.answer(answered.id, 1, "U0BEN", GivenAnswer(text="That one."))
    held_and_undone(core)
    together(core)
    late = core.submit(payload={"number": 4})
    with core.store.transaction() as connection:
        epochs.begin(connection, 5)
    approvals.close_restored(late.id)
    core.follow(
        "agents: {billing-bot: {owner: U0MIA}}\n"
        "rules: [{name: free, match: {action: note.*}, verdict: allow}]"
    )
    core.submit(action="note.write", agent="writer")
    in_force(core)
    core.submit(payload={"number": 5})
    shown = core.submit(kind="feedback", action="report.build", payload={"result": "42 rows"})
    approvals.feedback.give(shown.id, "U0MIA", "wrong", "Sunday is missing.")
    add_agent(core, "new-bot", "U0BEN")
    stopped(core)


def stopped(core: Core) -> None:
    """What nobody asks for here: one stop that stands, one that is resumed in part, and one that is over."""
    for number in range(3):
        scope = StopScope("action", f"never.{number}.*")
        stop = core.approvals.stop(scope, by="U0ANA", reason="too fast", undos=number == 1)
        if number:
            core.approvals.resume(stop.id, by="U0BEN", staged=True)
        if number > 1:
            core.approvals.resume(stop.id, by="U0BEN")


def held_and_undone(core: Core) -> None:
    """What nobody was asked about: one is held before it runs, the other undone once it has."""
    rules = (
        "agents: {billing-bot: {owner: U0MIA}}\n"
        "risk: {'tick.*': low}\nreversibility: {'tick.*': reversible}\n"
        "rules:\n"
        "  - {name: wait, match: {action: tick.close}, verdict: allow, after: 1h}\n"
        "  - {name: tell, match: {action: tick.open}, verdict: notify, undo_for: 1h,\n"
        "     undo: {action: tick.shut, payload: {id: $payload.id}}}\n"
        "  - {name: shut, match: {action: tick.shut}, verdict: allow}\n"
    )
    core.follow(rules)
    waits = [core.submit(action="tick.close", payload={"id": number}) for number in (1, 3, 4)]
    show(core, waits[1].id, "2.1")
    core.approvals.grace.hold(waits[0].id, 1, "U0MIA")
    core.follow(rules.replace("after: 1h", "after: 2h"))
    core.approvals.judge_again(waits[1].id)
    ran = core.submit(action="tick.open", payload={"id": 2})
    core.approvals.report(ran.agent, ran.request_id, Outcome(succeeded=True))
    core.approvals.undo.ask(ran.id, "U0MIA")


def together(core: Core) -> None:
    """Two that share a card, one that leaves it before that is shown, and one that does so later."""
    core.follow("rules: [{name: any, verdict: ask}]")
    for name, run in (("a" * 32, "run-2"), ("b" * 32, None)):
        sent = [
            core.submit(action=f"branch.{what}", payload={"n": name}, reversibility=undone, batch=name)
            for what, undone in (("tidy", "reversible"), ("wipe", "irreversible"), ("move", "reversible"),
                                 ("trim", "reversible"))
        ]  # fmt: skip
        ids = tuple(uuid.UUID(one.id) for one in sent)
        core.approvals.batches.freeze("billing-bot", name, Freeze(title="Clean up", run=run, ids=ids))
        core.follow("risk: {branch.trim: critical}\nrules: [{name: any, verdict: ask}]")
        core.approvals.judge_again(sent[3].id)
        assert core.approvals.get(sent[3].id).batch_id is None


def add_agent(core: Core, name: str, owner: str) -> None:
    """As where somebody makes an agent known before it asks."""
    with core.store.transaction() as connection:
        at = changes.clock(connection)
        changes.add_agent(connection, name, owner, at)
        data = {"agent": name, "owner": owner, "created_at": at}
        audit.append(connection, audit.Event("agent", None, at, "signoff", data))


def in_force(core: Core) -> None:
    """As a server's process does when it puts a policy in force."""
    with core.store.transaction() as connection:
        at, digest = changes.clock(connection), audit.sha256(core.policy.text)
        owners = policies.own(connection, core.policy.owner)
        assert policies.keep(connection, digest, core.policy.text, at)
        data = {"policy": core.policy.digest, "text": digest, "owners": owners}
        audit.append(connection, audit.Event("policy", None, at, "signoff", data))


def show(core: Core, approval_id: str, message: str) -> None:
    """As a channel does when a card stands."""
    approval = core.approvals.get(approval_id)
    core.approvals.cards.note_shown(approval, "C1", message, f"https://x/{message}", "text")


@pytest.fixture
def past(core: Core) -> Core:
    history(core)
    kept = core.policy
    core.follow("groups: {finance: {users: [U0ANA], deputies: [U0BEN, U0MIA]}}")
    until = core.store.clock() + 3_600_000_000
    for deputy in ("U0BEN", "U0MIA"):  # the second ends the first
        core.approvals.times.away.leave("U0ANA", until, deputy, by="U0ANA")
    core.policy = kept
    return core


def keys_of(core: Core) -> Any:
    return verify_keys(core.signer.verify_key)


def after(core: Core, change: Callable[[Connection], object]) -> Verification:
    """What `verify` finds after a change that is taken back."""
    with core.store.engine.connect() as connection:
        transaction = connection.begin()
        without_triggers(connection)
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign keys
        else:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        change(connection)
        found = verify_all(connection, keys=keys_of(core))
        transaction.rollback()
    return found


def run(core: Core, statement: str, **values: Any) -> Verification:
    return after(core, lambda connection: connection.execute(text(statement), values))


def test_every_table_and_column_says_which_line_tells_of_it_or_why_none_does() -> None:
    assert said.SAID.keys() == TABLES.keys()
    for name, columns in said.SAID.items():
        if not isinstance(columns, said.Unsaid):
            assert set(columns) == set(TABLES[name].columns.keys()), name


OPERATORS = {"token", "webhook", "factor"}
PINGS = {"called", "escalated"}
"""Kinds of lines about reminders: test_calls has them."""
"""Kinds of lines about what operators do, and no row is told of by."""


def test_every_kind_of_line_is_known_and_tells_of_some_column(past: Core) -> None:
    told = {kind for table, column in SAID for kind in said.SAID[table][column].kinds}  # type: ignore[index, union-attr]
    assert told | {"expiry", "file", "guard", "held", *PINGS, *OPERATORS} == said.KINDS
    others = {"policy", "agent", "stop", "resume", "away", "back", *OPERATORS}
    assert said.KINDS - others == account.OF_AN_APPROVAL
    with past.store.reading() as connection:
        kinds = set(connection.execute(text("SELECT kind FROM audit_event")).scalars())
    assert kinds == said.KINDS - {"adopted", "migrated", "file", *PINGS, *OPERATORS}


def test_what_happened_is_what_the_rows_hold(past: Core) -> None:
    found = audit.verify(past.store, keys=keys_of(past))
    assert found.ok, found
    with past.store.reading() as connection:
        rows = connection.execute(text("SELECT count(*) FROM approval")).scalar_one()
    assert (found.approvals, found.unknown_keys) == (rows, 0) and rows >= 12


def rows_of(connection: Connection, table: str, column: str) -> list[tuple[tuple[str, Any], ...]]:
    """Primary keys of the rows of a table, one of each content of a column."""
    keys = [one.name for one in TABLES[table].primary_key]
    stands = "WHERE message IS NOT NULL" if table == "card" else ""
    query = f"SELECT {', '.join(keys)}, {column} AS held FROM {table} {stands} ORDER BY {', '.join(keys)}"
    found: dict[bool, tuple[tuple[str, Any], ...]] = {}
    for row in connection.execute(text(query)).mappings():
        found.setdefault(row["held"] is None, tuple((name, row[name]) for name in keys))
    return list(found.values())


def others(table: str, column: str, held: Any) -> Iterator[Any]:
    """What an attacker may put into a column instead."""
    kind = TABLES[table].columns[column].type
    if isinstance(kind, Boolean):
        yield not held
    elif isinstance(kind, BigInteger):
        yield (held or 0) + HOUR
    elif isinstance(kind, Integer):
        yield (held or 0) + 70
    else:
        yield "U0EVE"
        if held:
            yield str(held).replace("}", ',"effect":"allow","succeeded":true}') + " "
            yield ""
    if held is not None and TABLES[table].columns[column].nullable:
        yield None


@pytest.mark.parametrize(("table", "column"), SAID)
def test_whatever_is_changed_in_a_row_is_named(past: Core, table: str, column: str) -> None:
    """Each column that a line tells of, in a row that has something there, and in one that has nothing."""
    tried = 0
    with past.store.reading() as connection:
        rows = rows_of(connection, table, column)
    for row in rows:
        where = " AND ".join(f"{name} = :key_{name}" for name, _ in row)
        values = {f"key_{name}": value for name, value in row}
        with past.store.reading() as connection:
            query = text(f"SELECT {column} FROM {table} WHERE {where}")
            held = connection.execute(query, values).scalar()
        for other in others(table, column, held):
            found = run(past, f"UPDATE {table} SET {column} = :other WHERE {where}", other=other, **values)
            assert not found.ok, (row, held, other)
            tried += 1
            if table != "payload" and column not in ("approval_id", *(name for name, _ in row)):
                assert found.column == f"{table}.{column}", (row, held, other, found)
                assert found.row and found.seq
    assert tried


@pytest.mark.parametrize("table", ["approval", "payload", "decision", "agent", "policy", "epoch", "batch"])
def test_a_row_that_is_deleted_is_missed(past: Core, table: str) -> None:
    keys = ", ".join(one.name for one in TABLES[table].primary_key)
    found = run(past, f"DELETE FROM {table} WHERE ({keys}) IN (SELECT {keys} FROM {table} LIMIT 1)")
    assert not found.ok and found.seq and found.row
    assert "gone" in found.fault, found


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("INSERT INTO decision SELECT 99, approval_id, version, 'U0EVE', name, vote, reason, resubmit, "
         "second_factor, at, withdrawn_at, answer, seat, fits, self_approved, void, deputy_for "
         "FROM decision WHERE id = 1", "no line tells of a decision"),
        ("INSERT INTO payload SELECT approval_id, 9, text, salt, claims, erased_at, by_id FROM payload "
         "WHERE version = 2", "no line tells of a payload"),
        ("INSERT INTO agent (name, created_at) VALUES ('eve', 1)", "no line tells of the agent"),
        ("INSERT INTO policy (digest, text, since) VALUES ('x', 'y', 5)", "no line tells of a policy"),
        ("INSERT INTO batch (agent, name, title, state, created_at) VALUES ('writer', 'x', '', 'frozen', 5)",
         "no line tells of the batch"),
        ("INSERT INTO epoch (number, started_at) VALUES (9, 5)", "no line tells of the epoch"),
        ("DELETE FROM audit_event", "no line tells of"),
        ("DELETE FROM audit_event WHERE seq > 3", ""),
        ("DELETE FROM audit_event WHERE seq = (SELECT max(seq) FROM audit_event)", ""),
    ],
)  # fmt: skip
def test_what_no_line_tells_of_is_no_row(past: Core, statement: str, fault: str) -> None:
    found = run(past, statement)
    assert not found.ok and fault in found.fault, found


def test_an_approval_that_no_line_tells_of_is_named(past: Core) -> None:
    columns = [
        name for name in set(TABLES["approval"].columns.keys()) if name not in ("id", "request_id", "key")
    ]
    names = ", ".join(columns)
    found = run(
        past,
        f"INSERT INTO approval (id, request_id, {names}) SELECT 'planted', 'planted', {names} FROM approval "
        "WHERE status = 'approved' LIMIT 1",
    )
    assert not found.ok and found.row == "approval planted" and found.seq is None


def test_a_receipt_that_another_key_signed_is_found_even_where_the_log_was_written_anew(past: Core) -> None:
    other = verify_keys(Signer.generate().verify_key)
    found = audit.verify(past.store, keys=other)
    with past.store.reading() as connection:
        signed = connection.execute(text("SELECT count(receipt) FROM approval")).scalar_one()
    assert found.ok and found.unknown_keys == signed >= 8
    kid = past.signer.kid
    [strange] = other.values()
    found = audit.verify(past.store, keys={kid: strange})
    assert not found.ok and "signature" in found.fault and found.column == "approval.receipt"


@pytest.mark.parametrize("version", [1, 2])
def test_an_erased_payload_frees_nothing(past: Core, version: int) -> None:
    """Without its salt no digest could be compared: of reasons, names, notes, verdicts, and the receipt."""
    erase = (
        "UPDATE payload SET text=NULL, salt=NULL, claims=NULL, erased_at=5 "
        "WHERE approval_id IN (SELECT id FROM approval WHERE version = 2)"
    )
    found = run(past, f"{erase} AND version = {version}")
    assert not found.ok and found.column == "payload.erased_at" and found.row.endswith(f"version {version}")
    for kept in ("text", "salt", "claims"):
        assert not run(past, erase.replace(f"{kept}=NULL", f"{kept}='x'")).ok
        assert not run(past, f"UPDATE payload SET {kept}=NULL WHERE version = 1").ok
    assert not run(past, "UPDATE payload SET erased_at=5").ok
    found = run(past, erase.replace(", erased_at=5", ""))
    assert not found.ok and "is gone" in found.fault
    for change in ("receipt=NULL", "reason='x'", "spent_by='x'", "outcome=NULL"):

        def both(connection: Connection, change: str = change) -> None:
            connection.execute(text(erase))
            connection.execute(text(f"UPDATE approval SET {change} WHERE version = 2"))

        assert not after(past, both).ok


def test_lines_of_before_say_less_and_still_verify(past: Core) -> None:
    """The keys that were added to lines taken away again, and those that were renamed as they were."""

    def as_before(connection: Connection) -> None:
        rows = connection.execute(text("SELECT * FROM audit_event ORDER BY seq")).mappings().all()
        connection.execute(text("DELETE FROM audit_event"))
        for row in rows:
            data = json.loads(row["data"])
            added = {
                "submit": ("request", "digest_sent", "key", "run", "owner"),
                "verdict": ("headline", "reason", "thread", "editable", "require", "risk_from",
                            "reversibility_from", "expires_in"),
                "decision": ("name", "resubmit", "second_factor"),
                "receipt": ("reason", "expires", "jti"),
                "shown": ("thread", "channel", "permalink", "card"),
                "policy": ("owners",),
            }.get(row["kind"], ())  # fmt: skip
            renamed = {
                "verdict": {"effect": "answer", "conversation": "channel"},
                "decision": {"vote": "answer"},
                "shown": {"conversation": "channel", "message": "ts"},
            }.get(row["kind"], {})
            if row["kind"] == "receipt":
                renamed = {"jti": "nonce"}
                added = ("reason", "expires")
            kept = {renamed.get(name, name): value for name, value in data.items() if name not in added}
            event = audit.Event(row["kind"], row["approval_id"], row["at"], row["actor"], kept)
            audit.append(connection, event)

    found = after(past, as_before)
    assert found.ok, found

    def and_changed(connection: Connection) -> None:
        as_before(connection)
        connection.execute(text("UPDATE decision SET approver = 'U0BEN' WHERE approver = 'U0ANA'"))

    found = after(past, and_changed)
    assert not found.ok and found.column == "decision.approver"


def test_a_log_is_held_a_page_at_a_time(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    """By count: no statement gives more rows than a page, however long the log is."""
    from signoff.approvals.audit import rows, verification

    monkeypatch.setattr(verification, "PAGE", 10)
    monkeypatch.setattr(rows, "BATCH", 3)
    monkeypatch.setattr(verification, "BATCH", 3)
    for number in range(20):
        approval = core.submit(payload={"number": number})
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    largest = 0

    class Counting:
        def __init__(self, connection: Connection) -> None:
            self._connection = connection

        def execute(self, *arguments: Any) -> Any:
            nonlocal largest
            found = self._connection.execute(*arguments)
            rows = found.freeze()
            largest = max(largest, len(rows.data))
            return rows()

    with core.store.reading() as connection:
        found = verify_all(Counting(connection))  # type: ignore[arg-type]
    assert found.ok and found.lines == 80 and found.approvals == 20
    assert largest <= 12


def test_what_an_update_ended_is_told_by_a_line(database_url: str) -> None:
    """0009 ends what waits under an id that commits to nothing: its row's time is the line's."""
    engine = open_engine(database_url)
    verdict = '{"effect":"ask","approvers":["U1"],"conversation":"C1","expires_in":60,"why":"so"}'
    late = 1 << 52
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        for row in (
            "INSERT INTO agent (name, created_at) VALUES ('bot', 7)",
            "INSERT INTO approval (id, agent, request_id, action, status, version, revision, not_before,"
            " delivered_revision, digest_sent, verdict, reason, created_at, expires_at, conversation)"
            " VALUES ('old', 'bot', 'old', 'a', 'pending', 1, 1, 0, 0, 'd',"
            f" '{verdict}', '', 7, {late}, 'C1')",
            "INSERT INTO payload (approval_id, version, text, salt, claims)"
            " VALUES ('old', 1, '{}', 's', '{}')",
        ):
            connection.exec_driver_sql(row)
        digest = audit.salted("s", "{}")
        asked = {"action": "a", "version": 1, "payload": digest, "claims": digest}
        judged = {"answer": "ask", "channel": "C1", "approvers": ["U1"], "why": "so", "expires_at": late}
        audit.append(
            connection,
            audit.Event("submit", "old", 7, "bot", asked),
            audit.Event("verdict", "old", 7, "policy", judged),
        )
    assert migrate.upgrade(engine)
    found = audit.verify(Store(engine))
    assert found.ok and found.lines == 3, found
    with engine.begin() as connection:
        assert connection.execute(text("SELECT expires_at FROM approval")).scalar_one() < late
        connection.execute(text(f"UPDATE approval SET expires_at = {late}"))
    found = audit.verify(Store(engine))
    assert (found.seq, found.column) == (3, "approval.expires_at")
    engine.dispose()


def test_an_update_takes_since_when_policies_are_in_force_from_the_log(database_url: str) -> None:
    """Before 0013 each start set it to its own time, without a line."""
    engine = open_engine(database_url)
    content = "version: 1"
    digest = audit.sha256(content)
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
        for name, since in ((digest, 1 << 50), ("bad", 0)):
            values = {"name": name, "content": content, "since": since, "fault": None if since else "x"}
            connection.execute(text("INSERT INTO policy VALUES (:name, :content, :since, :fault)"), values)
        for at in (1 << 40, 1 << 41):
            data = {"policy": digest[:16], "text": digest, "owners": {}}
            audit.append(connection, audit.Event("policy", None, at, "signoff", data))
    assert migrate.upgrade(engine)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT digest, since FROM policy")).all()
    assert {name: since for name, since in found} == {digest: 1 << 41, "bad": 0}
    assert audit.verify(Store(engine)).ok
    engine.dispose()
