"""Statements that are run as their texts are: what they give and raise is what SQLAlchemy would."""

from __future__ import annotations

import pytest
from sqlalchemy import exc, literal_column, select
from support import Core, a_request

from signoff.models import changes, log, store
from signoff.models.fixed import Fixed


def test_rows_have_the_names_and_values_that_sqlalchemy_gives(core: Core) -> None:
    approval = core.approvals.submit("billing-bot", a_request(reason="ü"))
    values = {"approval_id": approval.id}
    with core.store.reading() as connection:
        ours = store._LOAD.first(connection, values)._asdict()
        theirs = connection.execute(store._LOAD._statement, values).one()._asdict()
        assert ours | {"now": 0} == theirs | {"now": 0}
        assert store._LOAD.first(connection, {"approval_id": "none"}) is None
        assert [row.seq for row in log._HEAD.all(connection, {})] == [2]


def test_a_statement_that_changes_something_says_how_many_rows(core: Core) -> None:
    approval = core.submit()
    values = dict.fromkeys(("to_status", "to_verdict", "why", "token"), "x") | {
        "to_version": 1, "to_glimpse": None, "at": 1, "token_end": 1, "approval_id": approval.id,
    }  # fmt: skip
    with pytest.raises(ZeroDivisionError), core.store.transaction() as connection:
        assert changes._DECIDE.run(connection, values | {"seen": 2}) == 0
        assert changes._DECIDE.run(connection, values | {"seen": 1}) == 1
        raise ZeroDivisionError
    assert core.approvals.get(approval.id).pending, "it was in the transaction"


def test_what_the_driver_raises_is_raised_as_sqlalchemy_raises_it(core: Core) -> None:
    wrong = Fixed(select(literal_column("no_such_column")).where(literal_column(":secret") == "x"))
    with core.store.engine.connect() as connection, pytest.raises(exc.DBAPIError) as raised:
        wrong.first(connection, {"secret": "tell nobody"})
    assert "tell nobody" not in str(raised.value)


def test_a_connection_that_was_lost_is_not_used_again(core: Core) -> None:
    with core.store.engine.connect() as connection:
        connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
        with pytest.raises(exc.DBAPIError):
            log._HEAD.first(connection, {})
        assert connection.invalidated
    assert core.store.clock() > 0
