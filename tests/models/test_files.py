"""The rows of files in cards' threads: what is wanted, who is at it, and what has to go."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from support import Core

from signoff.models import files
from signoff.models.files import Claimed

HERE, THERE = ("C1", "1.1"), ("C1", "2.2")


def settle(core: Core, approval_id: str, *digests: str, where: tuple[str, str] = HERE) -> None:
    with core.store.transaction() as connection:
        files.settle(connection, approval_id, 1, where, digests)


def rows(core: Core) -> list[tuple[Any, ...]]:
    with core.store.reading() as connection:
        found = connection.execute(text("SELECT digest, thread, file, state FROM card_file ORDER BY id"))
        return [tuple(row) for row in found]


def post(core: Core, file: str) -> Claimed:
    """The next one is posted by this name."""
    claimed = files.claim(core.store)
    assert claimed is not None and files.note_name(core.store, claimed, file)
    with core.store.transaction() as connection:
        assert files.note_posted(connection, claimed)
    return claimed


def rest(core: Core) -> None:
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE card_file SET not_before = 0"))


def test_what_is_wanted_is_claimed_once_each_in_order(core: Core) -> None:
    one = core.submit()
    settle(core, one.id, "a", "b")
    settle(core, one.id, "a", "b")
    found = [files.claim(core.store) for _ in range(3)]
    assert [claimed and claimed.digest for claimed in found] == ["a", "b", None]
    rest(core)
    again = files.claim(core.store)
    assert again is not None and found[0] is not None and again.lease == found[0].lease + 1


def test_nobody_notes_anything_by_anothers_claim(core: Core) -> None:
    settle(core, core.submit().id, "a")
    late = files.claim(core.store)
    rest(core)
    assert late is not None and files.claim(core.store) is not None
    assert not files.note_name(core.store, late, "F1")
    with core.store.transaction() as connection:
        assert not files.note_posted(connection, late) and not files.note_gone(connection, late)
    files.postpone(core.store, late, 1)
    assert rows(core) == [("a", "1.1", None, "wanted")]


def test_files_of_another_payload_or_place_have_to_go(core: Core) -> None:
    one, other = core.submit(), core.submit(payload={"n": 2})
    settle(core, other.id, "a")
    post(core, "F0")
    settle(core, one.id, "a", "b")
    post(core, "F1")
    settle(core, one.id, "a", "c")
    assert rows(core)[1:] == [("a", "1.1", "F1", "posted"), ("c", "1.1", None, "wanted")]
    settle(core, one.id, "a", where=THERE)
    assert rows(core) == [
        ("a", "1.1", "F0", "posted"), (None, "1.1", "F1", "unwanted"), ("a", "2.2", None, "wanted"),
    ]  # fmt: skip
    first = files.claim(core.store)
    assert first is not None and (first.state, first.digest) == ("wanted", "a"), "somebody waits for it"
    settle(core, one.id)
    assert rows(core)[1:] == [(None, "1.1", "F1", "unwanted")]


def test_one_whose_file_has_to_go_is_not_noted_as_posted(core: Core) -> None:
    one = core.submit()
    settle(core, one.id, "a")
    claimed = files.claim(core.store)
    assert claimed is not None and files.note_name(core.store, claimed, "F1")
    settle(core, one.id)
    with core.store.transaction() as connection:
        assert not files.note_posted(connection, claimed)
    assert rows(core) == [(None, "1.1", "F1", "unwanted")]


def test_what_is_late_is_given_up_and_what_stands_stays(core: Core) -> None:
    one = core.submit()
    settle(core, one.id, "a", "b", "c")
    post(core, "F1")
    late = files.claim(core.store)
    assert late is not None and files.note_name(core.store, late, "F2")
    with core.store.transaction() as connection:
        files.give_up(connection, one.id)
    assert rows(core) == [("a", "1.1", "F1", "posted"), (None, "1.1", "F2", "unwanted")]


@pytest.mark.parametrize("erase", ["UPDATE payload SET erased_at = 1", "DELETE FROM payload"])
def test_what_is_erased_or_gone_is_found_and_its_digest_forgotten(core: Core, erase: str) -> None:
    one = core.submit()
    settle(core, one.id, "a", "b")
    post(core, "F1")
    assert files.erased(core.store) == 0
    with core.store.transaction() as connection:
        connection.execute(text(f"{erase} WHERE approval_id = :one"), {"one": one.id})
    assert files.erased(core.store) == 2 and files.erased(core.store) == 0
    assert [(row[0], row[3]) for row in rows(core)] == [(None, "unwanted")] * 2


def test_an_approval_knows_which_files_stand_beside_its_card(core: Core) -> None:
    one = core.submit()
    settle(core, one.id, "a", "b")
    post(core, "F1")
    found = core.store.get(one.id)
    assert found is not None and [file.state for file in found.files] == ["posted", "wanted"]
    assert found.in_thread == frozenset(), "its card stands nowhere"
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE card SET conversation = 'C1', message = '1.1'"))
    found = core.store.get(one.id)
    assert found is not None and found.in_thread == {"a"}
