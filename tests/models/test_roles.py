"""The role that a server runs under on PostgreSQL: it does all that a server does, and owns nothing."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql import Databases
from sqlalchemy import exc, text
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel
from support import Core

from signoff.approvals import audit
from signoff.cli.main import main
from signoff.errors import ConfigError
from signoff.models import migrate, roles
from signoff.models.drafts import Drafts
from signoff.models.engine import open_engine
from signoff.models.messages import Outcome
from signoff.models.store import Store

PACKAGE = Path(roles.__file__).parents[1]


@pytest.fixture
def owner_url(_postgresql: Databases) -> Iterator[str]:
    """An empty database, and a user that owns it and may make roles, but is no superuser."""
    name = f"owner_{os.urandom(4).hex()}"
    url = _postgresql.create("roles")
    admin = open_engine(url)
    with admin.begin() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'theirs'"))
        connection.execute(text(f"ALTER DATABASE {make_url(url).database} OWNER TO {name}"))
        connection.execute(text(f"ALTER SCHEMA public OWNER TO {name}"))
    found = make_url(url).set(username=name, password="theirs")
    yield found.render_as_string(hide_password=False)
    admin.dispose()
    _postgresql.drop(url)


@pytest.fixture
def server_url(owner_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
               tmp_path: Path) -> str:  # fmt: skip
    """What `signoff db upgrade --for` prints for the server."""
    monkeypatch.setenv("SIGNOFF_DATABASE_URL", owner_url)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "data"))
    assert main(("db", "upgrade", "--for", f"server_{os.urandom(4).hex()}")) == 0
    [line] = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("SIGNOFF_DATABASE_URL=")
    ]
    return line.partition("=")[2].replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def store(server_url: str) -> Iterator[Store]:
    """In the place of the one that tests share: `core` runs under the server's role."""
    engine = open_engine(server_url)
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def database_url(server_url: str) -> str:
    return server_url


def test_every_table_has_its_grant_and_the_log_can_only_be_added_to() -> None:
    assert roles.GRANTS.keys() == {table.name for table in SQLModel.metadata.sorted_tables} | {
        "alembic_version"
    }
    assert roles.GRANTS["audit_event"] == "SELECT, INSERT"


def test_what_the_servers_code_does_with_a_table_is_granted() -> None:
    """By the code: each statement that changes or deletes rows names a table that grants it."""
    needed: set[tuple[str, str]] = set()
    tables = {table.name for table in SQLModel.metadata.sorted_tables}
    for file in [path for room in ("models", "approvals", "bot", "server", "queue")
                 for path in (PACKAGE / room).rglob("*.py")]:  # fmt: skip
        if "migrations" in file.parts or file.name in ("restore.py", "backup.py"):
            continue
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                word = {"update": "UPDATE", "delete": "DELETE"}.get(node.func.id)
                if word and node.args and isinstance(node.args[0], ast.Name):
                    name = node.args[0].id
                    name = {"policies": "policy", "pauses": "pause", "files": "card_file"}.get(name, name)
                    table = name if name in tables else name.removesuffix("s")
                    if table in tables:
                        needed.add((table, word))
        for word, table in re.findall(r"(?:(DELETE) FROM|(?:UPDATE)) (\w+)", source):
            if table in tables:
                needed.add((table, word or "UPDATE"))
        for table in re.findall(r"INSERT INTO (\w+)[^;]*?ON CONFLICT[^;]*?DO UPDATE", source):
            needed.add((table, "UPDATE"))
    assert {("approval", "UPDATE"), ("draft", "DELETE"), ("card", "UPDATE")} <= needed
    assert [one for one in sorted(needed) if one[1] not in roles.GRANTS[one[0]]] == []


def test_a_server_does_all_its_work_under_its_role(core: Core) -> None:
    edited = core.submit(payload={"number": 1}, key="a")
    approval = core.approvals.get(edited.id)
    core.approvals.cards.note_shown(approval, "C1", "1.1", "https://x", "text")
    core.approvals.decide(edited.id, 1, "U0ANA", "approve", payload={"number": 2})
    core.approvals.report("billing-bot", edited.request_id, Outcome(succeeded=True))
    core.approvals.cancel("billing-bot", core.submit().request_id)
    Drafts(core.store).clear()
    found = audit.verify(core.store)
    assert found.ok and found.approvals == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_event_append_only ON audit_event",
        "CREATE TRIGGER mine BEFORE INSERT ON audit_event EXECUTE FUNCTION audit_event_refuse()",
        "DROP TABLE audit_event",
        "ALTER TABLE audit_event RENAME TO other",
        "CREATE TABLE mine (id int)",
        "CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "UPDATE payload SET text = '{}'",
        "UPDATE decision SET approver = 'U0BEN'",
        "DELETE FROM decision",
        "DELETE FROM approval",
        "TRUNCATE approval CASCADE",
        "INSERT INTO epoch (number, started_at) VALUES (9, 9)",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_a_server_cannot_change_what_was_logged(core: Core, statement: str) -> None:
    core.approvals.decide(core.submit().id, 1, "U0ANA", "approve")
    with (
        pytest.raises(exc.DBAPIError, match=r"permission denied|must be owner"),
        core.store.transaction() as one,
    ):
        one.execute(text(statement))
    assert audit.verify(core.store).ok


def test_who_runs_is_told_by_the_database(store: Store, owner_url: str) -> None:
    owner = make_url(owner_url).username
    with store.reading() as connection:
        found = roles.state(connection)
    assert found and found.owner == owner != found.role and not found.owns and not found.may_change
    engine = open_engine(owner_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        as_owner = roles.state(connection)
        assert as_owner and as_owner.owns
        assert roles.granted(connection) == [found.role]
        connection.execute(text("GRANT UPDATE (actor) ON audit_event TO PUBLIC"))
    with store.reading() as connection:
        changed = roles.state(connection)
        assert changed and changed.may_change
    with engine.begin() as connection:
        for role in (owner, "postgres" if os.environ.get("SIGNOFF_TEST_POSTGRES") else "signoff"):
            with pytest.raises(ConfigError):
                roles.grant(connection, str(role))
        roles.grant(connection, found.role)
    with store.reading() as connection:
        again = roles.state(connection)
        assert again and not again.may_change
    engine.dispose()


def test_a_later_upgrade_grants_what_is_new(store: Store, owner_url: str) -> None:
    owner = open_engine(owner_url.replace("postgresql://", "postgresql+psycopg://"))
    with owner.begin() as connection:  # as if the last migration had still to come
        connection.execute(text("REVOKE ALL ON draft FROM PUBLIC"))
        servers = roles.granted(connection)
        connection.execute(text(f'REVOKE ALL ON draft FROM "{servers[0]}"'))
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(exc.DBAPIError, match="permission denied"), store.reading() as connection:
        connection.execute(text("SELECT * FROM draft"))
    with owner.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{migrate.LATEST}'"))
        roles.renew(connection, roles.granted(connection))
    with store.reading() as connection:
        assert connection.execute(text("SELECT * FROM draft")).all() == []
    owner.dispose()


def test_a_servers_role_that_would_have_to_upgrade_is_told_who_has_to(
    server_url: str, owner_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = open_engine(owner_url.replace("postgresql://", "postgresql+psycopg://"))
    with owner.begin() as connection:
        connection.execute(text("DROP TABLE draft, home, pause, thread, policy, flood_warning CASCADE"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    owner.dispose()
    monkeypatch.setenv("SIGNOFF_DATABASE_URL", server_url)
    assert main(("db", "upgrade")) == 2
    assert "as the owner of the tables" in capsys.readouterr().err
