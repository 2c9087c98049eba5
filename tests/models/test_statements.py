"""Statements are built once and compiled once: building one anew costs more than running it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from signoff.approvals import audit
from signoff.models import (
    changes,
    deliveries,
    files,
    flood,
    judgements,
    leases,
    outbox,
    policies,
    store,
    sums,
    threads,
    turns,
    webhooks,
)

MODULES = (store, changes, judgements, leases, threads, files, flood, sums, policies, turns, audit)
HOOKS = (outbox, deliveries, webhooks)
STATEMENTS = [
    pytest.param(value, id=f"{module.__name__}.{name}")
    for module in (*MODULES, *HOOKS)
    for name, value in vars(module).items()
    if name.startswith("_") and name.isupper() and isinstance(value, ClauseElement)
]


def test_there_are_statements_to_look_at() -> None:
    assert len(STATEMENTS) > 20


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_is_compiled_once_whatever_it_is_run_with(statement: Any, dialect: Any) -> None:
    cache: dict[Any, Any] = {}
    given = sorted(statement.table.c.keys()) if isinstance(statement, Insert) else []
    first, *_ = statement._compile_w_cache(dialect, compiled_cache=cache, column_keys=given)
    again, *_ = statement._compile_w_cache(dialect, compiled_cache=cache, column_keys=given)
    assert again is first
