"""A policy's file that changes while a server runs, on both databases."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from support import eventually

from signoff.approvals import audit
from signoff.models import lists, policies
from signoff.models.store import Store
from signoff.policy.errors import PolicyError
from signoff.server.policy_file import InForce
from signoff.server.settings import Settings

GOOD = "version: 1\nautonomy: supervised\n"
BETTER = "version: 1\nautonomy: guided\n"
BAD = "version: 1\nautonomy: gided\n"


class Admins:
    """Who is told; `there` is whether they can be."""

    def __init__(self) -> None:
        self.told: list[Sequence[str]] = []
        self.there = True

    def __call__(self, faults: Sequence[str]) -> bool:
        self.told += [faults] if self.there else []
        return self.there


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "policy.yml"
    found.write_text(GOOD)
    return found


@pytest.fixture
def admins() -> Admins:
    return Admins()


@pytest.fixture
def process(store: Store, file: Path, admins: Admins) -> Callable[[], InForce]:
    """Starts one of the server's processes."""

    def start() -> InForce:
        found = InForce(Settings(approvers="U0ANA", channel="C1", policy_file=file), store, admins)
        found.start()
        return found

    return start


def write(file: Path, content: str) -> None:
    file.with_suffix(".new").write_text(content)
    os.replace(file.with_suffix(".new"), file)


def kept(store: Store) -> int:
    with store.reading() as connection:
        counted = text("SELECT count(*) FROM audit_event WHERE kind = 'policy'")
        return int(connection.execute(counted).scalar_one())


def settled(file: Path) -> None:
    """As if it had been written a while ago."""
    before = file.stat().st_mtime - 5
    os.utime(file, (before, before))


def test_a_click_is_judged_by_the_file_as_it_stands(process: Callable[[], InForce], file: Path) -> None:
    policy = process()
    write(file, BETTER)
    assert policy.today().text == GOOD, "it may be half written"
    settled(file)
    assert policy.today().text == BETTER and policy.now().text == BETTER
    before = policy.now()
    assert policy.today() is before, "it is read once"
    policy.look()
    assert policy.now().text == BETTER


def test_a_bad_file_judges_nothing_and_is_left_to_the_timer(
    process: Callable[[], InForce], file: Path, admins: Admins
) -> None:
    policy = process()
    write(file, BAD)
    settled(file)
    assert [policy.today().text, policy.today().text] == [GOOD, GOOD] and admins.told == []
    policy.look()
    assert len(admins.told) == 1
    file.unlink()
    assert policy.today().text == GOOD


def test_a_changed_file_comes_into_force(process: Callable[[], InForce], file: Path) -> None:
    policy = process()
    before = policy.now().digest
    policy.look()
    assert policy.now().digest == before
    write(file, BETTER)
    policy.look()
    assert policy.now().text == BETTER and policy.now().digest != before


def test_the_log_names_each_text_once_and_the_chain_verifies_it(
    process: Callable[[], InForce], file: Path, store: Store
) -> None:
    one, other = process(), process()
    assert kept(store) == 1
    write(file, BETTER)
    both = [threading.Thread(target=policy.look) for policy in (one, other)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert one.now().digest == other.now().digest and kept(store) == 2
    write(file, GOOD)
    one.look()
    other.look()
    process()
    assert kept(store) == 3 and policies.last(store) == GOOD, "it is in force again"
    assert audit.verify(store).ok
    with store.transaction() as connection:
        connection.execute(text("UPDATE policy SET text = text || '#' WHERE since > 0"))
    assert audit.verify(store).fault == "its policy was changed"


@pytest.mark.parametrize("since", ["since + 3600000000", "since - 3600000000", "1", "0"])
@pytest.mark.parametrize("which", [GOOD, BETTER])
def test_a_policy_that_the_log_has_not_put_in_force_then_is_found(
    process: Callable[[], InForce], file: Path, store: Store, since: str, which: str
) -> None:
    """Which one is the newest decides what a process goes on with that starts beside a bad file."""
    policy = process()
    for content in (BETTER, GOOD):
        write(file, content)
        policy.look()
    assert audit.verify(store).ok
    with store.transaction() as connection:
        connection.execute(text(f"UPDATE policy SET since = {since} WHERE text = :which"), {"which": which})
    found = audit.verify(store)
    assert (found.ok, found.column) == (False, "policy.since") and found.row.startswith("policy ")


def test_owners_alone_are_logged_with_the_policy_in_force_as_anew(
    process: Callable[[], InForce], file: Path, store: Store
) -> None:
    file.write_text(GOOD + "agents:\n  billing-bot: {owner: U0ANA}\n")
    process()
    policies.add_owner(store, "billing-bot", "U0BEN", None)
    process()
    assert kept(store) == 2 and lists.owner(store, "billing-bot") == "U0ANA" and audit.verify(store).ok


def test_a_clock_that_goes_back_leaves_the_newest_the_newest(
    process: Callable[[], InForce], file: Path, store: Store
) -> None:
    policy = process()
    with store.transaction() as connection:
        later = policies.after_all(connection, 1 << 52)
        assert policies.keep(connection, audit.sha256(BAD), BAD, later)
    write(file, BETTER)
    policy.look()
    process()
    assert policies.last(store) == BETTER and kept(store) == 2


def test_a_bad_file_leaves_the_old_one_in_force_and_is_told_once(
    process: Callable[[], InForce], file: Path, admins: Admins
) -> None:
    one, other = process(), process()
    write(file, BAD)
    for policy in (one, other, one):
        policy.look(asked=True)
    assert one.now().text == other.now().text == GOOD
    assert len(admins.told) == 1 and "policy.yml:2:" in admins.told[0][0]
    write(file, BETTER)
    one.look()
    write(file, BAD)
    one.look()
    assert one.now().text == BETTER and len(admins.told) == 2


def test_admins_who_cannot_be_told_are_told_later(
    process: Callable[[], InForce], file: Path, admins: Admins
) -> None:
    policy, admins.there = process(), False
    write(file, BAD)
    policy.look()
    admins.there = True
    policy.look()
    policy.look()
    assert len(admins.told) == 1


def test_a_file_that_is_gone_is_told_once_it_stays_away(
    process: Callable[[], InForce], file: Path, admins: Admins
) -> None:
    policy = process()
    file.unlink()
    policy.look()
    assert admins.told == []  # editors take a file away before they put another there
    policy.look()
    policy.look()
    assert len(admins.told) == 1 and policy.now().text == GOOD
    write(file, BETTER)
    policy.look()
    assert policy.now().text == BETTER


def test_a_process_that_starts_beside_a_bad_file_goes_on_with_the_last_good_one(
    process: Callable[[], InForce], file: Path, admins: Admins
) -> None:
    process()
    write(file, BAD)
    policy = process()
    assert policy.now().text == GOOD
    policy.look()
    assert len(admins.told) == 1


def test_a_bad_file_is_refused_where_none_was_good_before(process: Callable[[], InForce], file: Path) -> None:
    write(file, BAD)
    with pytest.raises(PolicyError, match=r"policy\.yml:2:"):
        process()


def test_agents_get_the_owners_that_the_file_names(
    process: Callable[[], InForce], file: Path, store: Store
) -> None:
    with store.transaction() as connection:
        connection.execute(text("INSERT INTO agent (name, created_at) VALUES ('billing-bot', 1)"))
    policy = process()
    write(file, GOOD + "agents:\n  billing-bot: {owner: U0ANA}\n")
    policy.look()
    with store.reading() as connection:
        assert connection.execute(text("SELECT owner FROM agent")).scalar_one() == "U0ANA"


def test_the_file_has_the_last_word_on_an_owner_and_the_one_it_was_added_with_comes_back(
    process: Callable[[], InForce], file: Path, store: Store
) -> None:
    policies.add_owner(store, "billing-bot", "U0BEN", None)
    policy = process()
    for named, holds in (
        ("{owner: U0ANA}", "U0ANA"),
        ("{owner: U0MIA}", "U0MIA"),
        ("{limits: {pending: 5}}", "U0BEN"),
    ):
        write(file, GOOD + f"agents:\n  billing-bot: {named}\n")
        policy.look()
        assert lists.owner(store, "billing-bot") == holds
    policies.add_owner(store, "billing-bot", "U0ZOE", "U0ANA")
    assert lists.owner(store, "billing-bot") == "U0ANA"


def test_it_looks_at_once_when_it_is_told_to(process: Callable[[], InForce], file: Path) -> None:
    policy, stop, look = process(), threading.Event(), threading.Event()
    thread = threading.Thread(target=policy.run, args=(stop, look))
    thread.start()
    try:
        write(file, BETTER)
        look.set()
        eventually(lambda: policy.now().text == BETTER)
    finally:
        stop.set()
        look.set()
        thread.join(20)
    assert not thread.is_alive()
