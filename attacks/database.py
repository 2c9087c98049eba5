"""Copies of the server's database, which whoever owns it has changed, held against the log in them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from signoff.approvals import audit
from signoff.approvals.audit.verification import Verification, verify_all
from signoff.models.engine import open_engine
from signoff.receipts import VerifyKeys


class Copy:
    """A copy without the triggers that keep the log as it is, and without foreign keys."""

    def __init__(self, original: Path, file: Path, keys: VerifyKeys) -> None:
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(original)) as old, closing(sqlite3.connect(file)) as new:
            old.backup(new)
            for (name,) in new.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                new.execute(f"DROP TRIGGER {name}")
            new.commit()
        file.chmod(0o600)
        self._file, self._keys = file, keys
        self.url = f"sqlite:///{file}"
        self._engine = open_engine(self.url)

    def run(self, statement: str, *values: object) -> None:
        """Change it for good."""
        with closing(sqlite3.connect(self._file)) as connection, connection:
            connection.execute(statement, values)

    def value(self, query: str) -> Any:
        """The first value that a query gives."""
        with closing(sqlite3.connect(self._file)) as connection:
            return connection.execute(query).fetchone()[0]

    def verifies(self) -> Verification:
        """What the log says of the rows."""
        with self._engine.connect() as connection:
            return verify_all(connection, keys=self._keys)

    def after(self, statement: str, **values: object) -> Verification | None:
        """What the log says after a change that is taken back; None where the database refuses the change."""
        with self._engine.connect() as connection:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            try:
                connection.execute(text(statement), values)
                return verify_all(connection, keys=self._keys)
            except SQLAlchemyError:
                return None
            finally:
                connection.rollback()

    def write_anew(self, which: Callable[[Any], bool], actor: str | None = None, **data: object) -> None:
        """The whole log once more, with its hashes, and of some lines another actor and other data."""
        with self._engine.begin() as connection:
            lines = connection.execute(text("SELECT * FROM audit_event ORDER BY seq")).mappings().all()
            connection.execute(text("DELETE FROM audit_event"))
            for line in lines:
                said = json.loads(line["data"])
                event = audit.Event(line["kind"], line["approval_id"], line["at"], line["actor"], said)
                if which(event):
                    event = replace(event, actor=actor or event.actor, data={**said, **data})
                audit.append(connection, event)

    def close(self) -> None:
        """Let it go."""
        self._engine.dispose()
