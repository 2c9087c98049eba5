"""The migrations: the same schema as the tables, an audit log that cannot be changed, many at once."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from postgresql import Databases
from sqlalchemy import Engine, exc, text
from sqlmodel import SQLModel
from support import eventually

from signoff.errors import ConfigError
from signoff.models import migrate
from signoff.models import tables as tables
from signoff.models.engine import open_engine
from signoff.models.store import Store

LINE = (
    "INSERT INTO audit_event (seq, kind, at, actor, data, previous, hash) "
    "VALUES ({seq}, 'submit', 1, 'a', '{{}}', 'p', '{hash}')"
)
SCHEMA = {
    "sqlite": "SELECT type || ' ' || name, sql FROM sqlite_master "
    "WHERE name <> 'alembic_version' AND type IN ('table', 'index') AND sql IS NOT NULL",
    "postgresql": """
        SELECT 'column ' || table_name || '.' || column_name,
               data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '-')
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        UNION ALL
        SELECT 'index ' || indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL
        SELECT 'constraint ' || conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
          AND conrelid::regclass::text <> 'alembic_version'
    """,
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    found = open_engine(database_url)
    yield found
    found.dispose()


def test_the_version_that_is_written_out_is_the_last_migrations() -> None:
    assert ScriptDirectory.from_config(migrate._config()).get_current_head() == migrate.LATEST


def schema(engine: Engine) -> dict[str, str]:
    with engine.begin() as connection:
        rows = connection.execute(text(SCHEMA[engine.dialect.name])).all()
    return {name: re.sub(r"\s+", " ", sql).strip() for name, sql in rows}


def refused(engine: Engine, *statements: str) -> None:
    for statement in statements:
        with pytest.raises(exc.DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))


def test_a_migrated_database_is_exactly_what_the_tables_say(engine: Engine) -> None:
    migrate.upgrade(engine)
    migrated = schema(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        else:
            SQLModel.metadata.drop_all(connection)
    SQLModel.metadata.create_all(engine)
    assert len(migrated) >= 14
    assert migrated == schema(engine)


def test_an_empty_database_is_upgraded_once(engine: Engine) -> None:
    assert migrate.current(engine) is None
    assert migrate.pending(engine)
    assert migrate.upgrade(engine) is True
    assert migrate.current(engine) == migrate.LATEST
    assert migrate.upgrade(engine) is False


def test_a_database_that_cannot_hold_every_letter_is_refused(_postgresql: Databases) -> None:
    url = _postgresql.create("ascii", "template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
    engine = open_engine(url)
    with pytest.raises(ConfigError, match="SQL_ASCII: make one with UTF8"):
        migrate.upgrade(engine)
    engine.dispose()
    _postgresql.drop(url)


def test_looking_at_the_version_changes_nothing(engine: Engine) -> None:
    migrate.pending(engine)
    assert schema(engine) == {}


def test_rows_from_before_one_meaning_a_word_are_kept(engine: Engine) -> None:
    """0008 renames columns, and keys of the JSON that rows hold; the rest of a row stays."""
    verdict = '{"answer":"ask","channel":"C1","thread_ts":"1.2","approvers":["U1"],"why":"channel"}'
    claims = '{"channel":"C9","context":{"channel":"theirs"}}'
    rows = (
        "INSERT INTO agent (name, created_at) VALUES ('bot', 1)",
        *(
            "INSERT INTO approval (id, agent, request_id, action, status, version, revision, not_before,"
            " delivered_revision, digest_sent, verdict, reason, created_at, expires_at, channel) VALUES"
            f" ('{name}', 'bot', '{name}', 'a', '{status}', 1, 1, 0,"
            f" 0, 'd', '{verdict}', '{reason}', 1, 2, 'C1')"
            for name, status, reason in (
                ("waits", "pending", ""),
                ("closed", "pending", "restored"),
                ("over", "expired", "restored"),
                ("late", "expired", ""),
            )
        ),
        "INSERT INTO payload (approval_id, version, text, salt, claims)"
        f" VALUES ('waits', 1, '{{}}', 's', '{claims}')",
        "INSERT INTO card (approval_id, channel, ts, thread_ts, shown_revision, log_revision, lease_until)"
        " VALUES ('waits', 'C1', '1.1', '1.0', 1, 1, 0)",
        "INSERT INTO decision (approval_id, version, approver, name, answer, reason, resubmit, at)"
        " VALUES ('waits', 1, 'U1', 'ana', 'reject', '', false, 3)",
        "INSERT INTO notice (agent, text, until) VALUES ('bot', '{\"channel\":\"C1\"}', 4)",
        "INSERT INTO epoch (number, started_at, settled_at) VALUES (2, 5, 6)",
    )
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        for row in rows:
            connection.exec_driver_sql(row)
    assert migrate.upgrade(engine)

    def found(statement: str) -> list[tuple[object, ...]]:
        with engine.begin() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    held = '{"effect":"ask","conversation":"C1","thread":"1.2","approvers":["U1"],"why":"channel"}'
    assert found("SELECT id, verdict, reason, conversation, closed_in FROM approval ORDER BY id") == [
        ("closed", held, "", "C1", 2),
        ("late", held, "", "C1", None),
        ("over", held, "restored", "C1", 2),
        ("waits", held, "", "C1", None),
    ]
    assert found("SELECT claims FROM payload") == [('{"conversation":"C9","context":{"channel":"theirs"}}',)]
    assert found("SELECT channel, conversation, message, thread FROM card") == [("slack", "C1", "1.1", "1.0")]
    assert found("SELECT vote FROM decision") == [("reject",)]
    assert found("SELECT agent, text, until FROM flood_warning") == [("bot", '{"conversation":"C1"}', 4)]
    assert found("SELECT number, told_at FROM epoch") == [(2, 6)]


def test_three_processes_may_upgrade_at_once(engine: Engine, database_url: str) -> None:
    program = (
        "import sys; from signoff.models import migrate; from signoff.models.engine import open_engine\n"
        "engine = open_engine(sys.argv[1]); sys.stdout.write('.'); sys.stdout.flush(); sys.stdin.read()\n"
        "print(migrate.upgrade(engine))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, database_url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout and process.stdout.read(1) == b"."
    for process in processes:
        assert process.stdin
        process.stdin.close()
        process.stdin = None
    said = [process.communicate(timeout=60) for process in processes]
    assert sorted(out.strip() for out, _ in said) == [b"False", b"False", b"True"], said
    assert migrate.current(engine) == migrate.LATEST


def test_a_failed_upgrade_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE card (id INTEGER)"))
    before = schema(engine)
    with pytest.raises(exc.DBAPIError):
        migrate.upgrade(engine)
    assert schema(engine) == before
    assert migrate.current(engine) is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_upgrade_waits_for_a_writer_that_is_in_the_way(engine: Engine, database_url: str) -> None:
    holder = engine.connect()
    transaction = holder.begin()
    program = (
        "import sys; from signoff.models import migrate; from signoff.models.engine import open_engine\n"
        "sys.stdout.write('.'); sys.stdout.flush(); print(migrate.upgrade(open_engine(sys.argv[1])))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, database_url], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.read(1) == b"."
    with pytest.raises(subprocess.TimeoutExpired):  # longer than SQLite's own patience
        process.wait(2)
    transaction.rollback()
    holder.close()
    assert process.communicate(timeout=60)[0] == b"True\n"


def test_lines_of_the_audit_log_can_only_be_added(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(text(LINE.format(seq=1, hash="a")))
        connection.execute(text(LINE.format(seq=2, hash="b")))
    refused(
        store.engine,
        "UPDATE audit_event SET data = 'x' WHERE seq = 1",
        "UPDATE audit_event SET hash = 'x'",
        "DELETE FROM audit_event WHERE seq = 2",
        "DELETE FROM audit_event",
    )
    with store.reading() as connection:
        rows = connection.execute(text("SELECT seq, data, hash FROM audit_event ORDER BY seq")).all()
    assert rows == [(1, "{}", "a"), (2, "{}", "b")]


def test_no_way_of_inserting_replaces_a_line(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(text(LINE.format(seq=1, hash="a")))
    if store.engine.dialect.name == "sqlite":
        replace = LINE.replace("INSERT", "INSERT OR REPLACE")
        refused(
            store.engine,
            replace.format(seq=1, hash="x"),
            replace.format(seq=2, hash="a"),
            LINE.format(seq=1, hash="y") + " ON CONFLICT (seq) DO UPDATE SET data = 'x'",
            "UPDATE OR REPLACE audit_event SET seq = 1",
        )
    else:
        refused(
            store.engine,
            LINE.format(seq=1, hash="x") + " ON CONFLICT (seq) DO UPDATE SET data = 'x'",
            "TRUNCATE audit_event",
            "TRUNCATE audit_event CASCADE",
            "SET LOCAL session_replication_role = replica; DELETE FROM audit_event",
        )
    with store.reading() as connection:
        assert connection.execute(text("SELECT hash FROM audit_event")).scalars().all() == ["a"]


def test_a_database_of_a_later_version_is_left_alone(store: Store) -> None:
    from alembic.util import CommandError

    with store.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert migrate.pending(store.engine)
    with pytest.raises(CommandError):
        migrate.upgrade(store.engine)
    assert eventually(lambda: migrate.current(store.engine)) == "9999"
