"""The guard: what it lets run is what was approved, once, over any number of processes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from postgresql import Databases

from signoff import (
    AlreadySpent,
    Blocked,
    ConfigError,
    Guard,
    Invalid,
    NotVerified,
    OtherAction,
    OtherPayload,
    Rejected,
    Stopped,
    Unreachable,
)  # fmt: skip
from signoff.models.identity import new_nonce, request_id
from signoff.models.receipt import Receipt
from signoff.payload.canonical import canonical, digest
from signoff.receipts import Signer, new_jti, sign
from signoff.spent import Spent, open_store

SIGNER = Signer.generate()
PAYLOAD = {"customer": "cus_42", "amount": 120}
ACTION = "refund.create"


def a_token(payload: Any = None, signer: Signer = SIGNER, **changes: Any) -> str:
    """An approved receipt, by default of PAYLOAD; each is of another request."""
    sent = digest(canonical(PAYLOAD if payload is None else payload))
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "kind": "approval", "agent": "billing-bot", "action": ACTION, "status": "approved", "version": 1,
        "digest_sent": sent, "digest": sent, "jti": new_jti(), "nonce": new_nonce(), "issued_at": now,
        "not_after": now + timedelta(hours=1),
    }  # fmt: skip
    values |= changes
    named = [values[name] for name in ("kind", "agent", "action", "digest_sent", "nonce")]
    return sign(signer, Receipt.model_validate({"id": str(request_id(*named)), **values}))


@pytest.fixture(
    params=["sqlite", *(pytest.param(n, marks=pytest.mark.served) for n in ("redis", "postgresql"))]
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where each kind of store is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'spent.db'}"
    elif request.param == "redis":
        yield request.getfixturevalue("redis_url")
    else:
        databases: Databases = request.getfixturevalue("_postgresql")
        url = databases.create("spent")
        yield url
        databases.drop(url)


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(str(tmp_path / "spent.db"), SIGNER.verify_key, agents=["billing-bot"])


def test_it_gives_what_to_run_once(store: str) -> None:
    one, other = (Guard(store, SIGNER.verify_key, agents=["billing-bot"]) for _ in range(2))
    token = a_token()
    assert one.spend(token, PAYLOAD, action=ACTION) == PAYLOAD
    for again in (one, other):
        with pytest.raises(AlreadySpent) as caught:
            again.spend(token, PAYLOAD, action=ACTION)
        assert caught.value.by and caught.value.at and abs(datetime.now(UTC) - caught.value.at).seconds < 60
    assert other.spend(a_token(), PAYLOAD, action=ACTION) == PAYLOAD


def test_of_fifty_processes_at_once_one_runs(store: str, tmp_path: Path) -> None:
    token, ran = a_token(), tmp_path / "ran"
    Guard(store, SIGNER.verify_key, agents=["billing-bot"])  # whoever is first makes the table
    ready, go = os.pipe(), os.pipe()
    children = []
    for _ in range(50):
        child = os.fork()
        if child == 0:
            code = 3
            try:
                os.close(go[1])
                mine = Guard(store, SIGNER.verify_key, agents=["billing-bot"])
                os.write(ready[1], b".")
                os.read(go[0], 1)  # until the parent lets go of the other end
                mine.spend(token, PAYLOAD, action=ACTION)
                with ran.open("a") as file:
                    file.write("ran\n")
                code = 0
            except AlreadySpent:
                code = 9
            finally:
                os._exit(code)
        children.append(child)
    for _ in children:
        assert os.read(ready[0], 1) == b"."
    os.close(go[1])
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    for end in (*ready, go[0]):
        os.close(end)
    assert sorted(codes) == [0, *[9] * 49]
    assert ran.read_text() == "ran\n"


def test_a_request_that_is_answered_anew_runs_no_second_time(guard: Guard) -> None:
    nonce = new_nonce()
    guard.spend(a_token(nonce=nonce), PAYLOAD, action=ACTION)
    with pytest.raises(AlreadySpent):  # another receipt of the same request
        guard.spend(a_token(nonce=nonce), PAYLOAD, action=ACTION)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"status": "rejected"}, Rejected),
        ({"status": "blocked"}, Blocked),
        ({"action": "draft.note"}, OtherAction),
        ({"payload": {"customer": "cus_42", "amount": 121}}, OtherPayload),
        ({"agent": "other-bot"}, NotVerified),
        ({"issuer": "staging"}, NotVerified),
        ({"signer": Signer.generate()}, NotVerified),
        ({"not_after": datetime(2020, 1, 1, tzinfo=UTC)}, NotVerified),
        ({"id": "01a1fdc6-e07e-8391-a609-4f3a9844ebde"}, NotVerified),
        ({"kind": "question", "id": "01a1fdc6-e07e-8391-a609-4f3a9844ebde"}, NotVerified),
    ],
)  # fmt: skip
def test_what_approves_something_else_runs_nothing_and_spends_nothing(
    guard: Guard, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        guard.spend(a_token(**changes), PAYLOAD, action=ACTION)
    good = a_token()
    assert guard.spend(good, PAYLOAD, action=ACTION) == PAYLOAD


@given(st.text(max_size=300) | st.binary(max_size=50).map(lambda raw: raw.hex()))
def test_no_text_is_a_receipt(text: str) -> None:
    guard = Guard(_Nowhere(), SIGNER.verify_key, agents=["billing-bot"])
    with pytest.raises(NotVerified):
        guard.spend(text, PAYLOAD, action=ACTION)


@given(st.data())
def test_no_other_spelling_of_a_receipt_is_taken(data: st.DataObject) -> None:
    token = a_token()
    at = data.draw(st.integers(0, len(token)))
    put = data.draw(st.sampled_from("=.Aa_-+/ \n\t\u200b0"))
    changed = data.draw(st.sampled_from((token[:at] + put + token[at:], token[:at] + put + token[at + 1 :])))
    if changed != token:
        with pytest.raises(NotVerified):
            Guard(_Nowhere(), SIGNER.verify_key, agents=["billing-bot"]).spend(
                changed, PAYLOAD, action=ACTION
            )


class _Nowhere:
    """A store that cannot be asked."""

    def spend(self, key: Any, spent: Spent, *, until: datetime) -> Spent:
        raise OSError("away")


class _Switch:
    def __init__(self, says: str | Exception) -> None:
        self.says = says

    def stopped(self, agent: str, action: str) -> str:
        assert (agent, action) == ("billing-bot", ACTION)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def test_where_the_store_or_the_switch_cannot_be_asked_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        Guard(_Nowhere(), SIGNER.verify_key, agents=["billing-bot"]).spend(a_token(), PAYLOAD, action=ACTION)
    store, token = open_store(str(tmp_path / "spent.db")), a_token()
    for says in ("Stopped by @mia.", ConnectionError("away")):
        with pytest.raises(Stopped):
            Guard(store, SIGNER.verify_key, agents=["billing-bot"], stops=_Switch(says)).spend(
                token, PAYLOAD, action=ACTION
            )
    free = Guard(store, SIGNER.verify_key, agents=["billing-bot"], stops=_Switch(""))
    assert free.spend(token, PAYLOAD, action=ACTION) == PAYLOAD, "a stop spends nothing"


def test_a_guarded_function_runs_once_with_the_payload(guard: Guard) -> None:
    ran: list[Any] = []

    class Shop:
        @guard.protects(ACTION)
        def refund(self, customer: str, amount: int) -> str:
            ran.append((customer, amount))
            return "done"

    token = a_token()
    assert Shop().refund(token, PAYLOAD) == "done"
    for wrong in (
        (token, PAYLOAD),
        (a_token(), {"amount": 1}),
        (a_token(action="x"), PAYLOAD),
        ("", PAYLOAD),
    ):
        with pytest.raises((AlreadySpent, NotVerified)):
            Shop().refund(*wrong)
    assert ran == [("cus_42", 120)]


def test_a_payload_that_the_function_cannot_take_is_not_spent(guard: Guard) -> None:
    other = {"customer": "cus_42", "sum": 120}
    token = a_token(other)
    wrong = guard.protects(ACTION)(lambda customer, amount: None)
    with pytest.raises(TypeError):
        wrong(token, other)
    with pytest.raises(TypeError):
        wrong(token)
    assert guard.protects(ACTION)(lambda **what: what)(token, other) == other


def test_a_coroutine_is_guarded_too(guard: Guard) -> None:
    @guard.protects(ACTION)
    async def refund(customer: str, amount: int) -> int:
        return amount

    token = a_token()
    assert asyncio.run(refund(token, PAYLOAD)) == 120
    with pytest.raises(AlreadySpent):
        asyncio.run(refund(token, PAYLOAD))


def test_a_guard_that_knows_no_agents_or_no_lasting_store_is_a_mistake(tmp_path: Path) -> None:
    made: list[Callable[[], Guard]] = [
        lambda: Guard(str(tmp_path / "a"), SIGNER.verify_key, agents=[]),
        lambda: Guard(str(tmp_path / "a"), SIGNER.verify_key, agents="billing-bot"),
        lambda: Guard("sqlite:///:memory:", SIGNER.verify_key, agents=["a"]),
        lambda: Guard(str(tmp_path / "no" / "a"), SIGNER.verify_key, agents=["a"]),
        lambda: Guard(str(tmp_path / "a"), "ed25519:x", agents=["a"]),
    ]
    for make in made:
        with pytest.raises(ConfigError):
            make()


def test_a_payload_that_is_not_canonical_json_is_the_callers_fault(guard: Guard) -> None:
    for payload in ({"a": float("nan")}, {"a": 2**53}, ["list"], {"a": object()}):
        with pytest.raises(Invalid):
            guard.spend(a_token(), payload, action=ACTION)  # type: ignore[arg-type]


@pytest.mark.served
def test_the_file_is_its_users_alone_and_redis_lets_go_when_a_receipt_has_ended(
    tmp_path: Path, redis_url: str
) -> None:
    before = os.umask(0)
    try:
        Guard(str(tmp_path / "spent.db"), SIGNER.verify_key, agents=["billing-bot"])
    finally:
        os.umask(before)
    assert (tmp_path / "spent.db").stat().st_mode & 0o777 == 0o600
    Guard(redis_url, SIGNER.verify_key, agents=["billing-bot"]).spend(a_token(), PAYLOAD, action=ACTION)
    with redis.Redis.from_url(redis_url) as client:
        [key] = client.keys("signoff:spent:*")
        assert 3600 < client.ttl(key) <= 2 * 3600 + 2


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_new_file_that_somebody_else_writes_to_is_waited_for(tmp_path: Path, begin: str) -> None:
    path, guards = tmp_path / "spent.db", []
    opening = Thread(
        target=lambda: guards.append(Guard(str(path), SIGNER.verify_key, agents=["billing-bot"]))
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        os.chmod(path, 0o600)
        other.execute("CREATE TABLE another (id)")
        other.execute(begin)
        opening.start()
        opening.join(0.2)
        assert opening.is_alive() and not guards
        other.execute("COMMIT")
    opening.join(30)
    assert guards[0].spend(a_token(), PAYLOAD, action=ACTION) == PAYLOAD


def test_a_store_that_others_may_write_or_that_is_not_named_whole_is_a_mistake(tmp_path: Path) -> None:
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    planted = tmp_path / "planted.db"
    planted.touch()
    planted.chmod(0o666)
    tricky = tmp_path / "tricky.db"
    with closing(sqlite3.connect(tricky)) as connection, connection:
        connection.execute(
            "CREATE TABLE signoff_spent (kid TEXT, agent TEXT, id TEXT, spent_by TEXT, spent_at TEXT, "
            "until INTEGER, PRIMARY KEY (kid, agent, id))"
        )
        connection.execute(
            "CREATE TRIGGER forget BEFORE INSERT ON signoff_spent BEGIN DELETE FROM signoff_spent; END"
        )
    for where in (
        "spent.db", "redis:127.0.0.1", "postgresql", str(open_folder / "spent.db"), str(planted), str(tricky),
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            Guard(where, SIGNER.verify_key, agents=["billing-bot"])
