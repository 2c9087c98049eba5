"""A guard and what people have stopped: it believes what is signed and young, and nothing that is older."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_guard import ACTION, PAYLOAD, SIGNER, a_token, store

from signoff import ConfigError, Guard, NotVerified, Stopped, Unreachable, stops
from signoff.models.stops import Kind, Stop
from signoff.receipts import Signer, verify_keys
from signoff.signatures import RECEIPT, STOPS
from signoff.spent import open_store

__all__ = ["store"]
KEYS = verify_keys(SIGNER.verify_key)
DEPLOYMENT = "signoff"


def a_stop(number: int, kind: Kind = "agent", name: str = "billing-bot", **changes: Any) -> Stop:
    at = int(time.time()) * 1_000_000
    return Stop(str(number), number, number, kind, name, "U0ANA", "ana", "", at, **changes)


class Word:
    """What the server says, as a test wants it."""

    def __init__(self) -> None:
        self.found: Callable[[], str] = lambda: self.said(0)
        self.told: list[tuple[int, float]] = []

    def said(self, number: int, *found: Stop, age: float = 0, signer: Signer = SIGNER) -> str:
        return stops.sign(signer, DEPLOYMENT, number, found, int(time.time() - age))

    def statement(self) -> str:
        return self.found()

    def seen(self, number: int, fresh: float) -> None:
        self.told.append((number, fresh))

    def says(self, *given: Any, **more: Any) -> None:
        self.found = lambda: self.said(*given, **more)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stops, "LOOK_SECONDS", 0.0)


def guard(word: Word, where: str, **more: Any) -> Guard:
    return Guard(where, SIGNER.verify_key, agents=["billing-bot"], stops=word, **more)


def test_what_is_not_stopped_runs_and_what_is_does_not(store: str) -> None:
    word = Word()
    one = guard(word, store)
    assert one.spend(a_token(), PAYLOAD, action=ACTION) == PAYLOAD
    word.says(5, a_stop(5))
    with pytest.raises(Stopped, match="topped by @ana"):
        one.spend(a_token(), PAYLOAD, action=ACTION)
    assert word.told[-1] == (5, 30)


def test_an_older_word_never_replaces_a_newer_not_even_for_another_process(store: str) -> None:
    word = Word()
    word.says(7, a_stop(7))
    with pytest.raises(Stopped):
        guard(word, store).spend(a_token(), PAYLOAD, action=ACTION)
    word.says(6)
    with pytest.raises(Stopped, match="older than one seen before"):
        guard(word, store).spend(a_token(), PAYLOAD, action=ACTION)
    word.says(8)
    assert guard(word, store).spend(a_token(), PAYLOAD, action=ACTION) == PAYLOAD


@pytest.mark.parametrize("fresh", [1, 30, 3600])
def test_a_word_that_is_too_old_lets_nothing_run(tmp_path: Any, fresh: int) -> None:
    word, where = Word(), f"sqlite:///{tmp_path / 'spent.db'}"
    word.says(1, age=fresh + 2)
    with pytest.raises(Stopped, match="last heard"):
        guard(word, where, fresh=fresh).spend(a_token(), PAYLOAD, action=ACTION)
    word.says(1, age=-fresh - 30)
    with pytest.raises(Stopped, match="NTP"):
        guard(word, where, fresh=fresh).spend(a_token(), PAYLOAD, action=ACTION)


def test_no_word_at_all_or_one_of_somebody_else_lets_nothing_run(tmp_path: Any) -> None:
    word, where = Word(), f"sqlite:///{tmp_path / 'spent.db'}"

    def away() -> str:
        raise ConnectionError

    for found in (away, lambda: "no token", lambda: word.said(1, signer=Signer.generate())):
        word.found = found
        with pytest.raises(Stopped, match="cannot be told"):
            guard(word, where).spend(a_token(), PAYLOAD, action=ACTION)


def test_what_was_heard_is_believed_for_as_long_as_it_is_fresh(tmp_path: Any) -> None:
    word, where = Word(), f"sqlite:///{tmp_path / 'spent.db'}"
    one = guard(word, where)
    one.spend(a_token(), PAYLOAD, action=ACTION)

    def away() -> str:
        raise ConnectionError

    word.found = away
    assert one.spend(a_token(), PAYLOAD, action=ACTION) == PAYLOAD


def test_what_was_approved_before_a_stop_ended_stays_void_and_what_came_later_runs(tmp_path: Any) -> None:
    word = Word()
    one = guard(word, f"sqlite:///{tmp_path / 'spent.db'}")
    before = datetime.now(UTC) - timedelta(seconds=10)
    word.says(9, a_stop(8, ended_at=int(before.timestamp() * 1_000_000)))
    old = a_token(issued_at=before - timedelta(seconds=1))
    with pytest.raises(Stopped, match="ask again"):
        one.spend(old, PAYLOAD, action=ACTION)
    assert one.spend(a_token(), PAYLOAD, action=ACTION) == PAYLOAD


def test_undos_pass_where_whoever_stopped_it_said_so(tmp_path: Any) -> None:
    word = Word()
    one = guard(word, f"sqlite:///{tmp_path / 'spent.db'}")
    word.says(3, a_stop(3, "all", "", undos=True))
    with pytest.raises(Stopped):
        one.spend(a_token(), PAYLOAD, action=ACTION)
    assert one.spend(a_token(undoes="9b6a"), PAYLOAD, action=ACTION) == PAYLOAD


def test_a_store_that_is_away_is_told_as_such(tmp_path: Any) -> None:
    where = open_store(f"sqlite:///{tmp_path / 'spent.db'}")
    one = Guard(where, SIGNER.verify_key, agents=["billing-bot"], stops=Word())
    (tmp_path / "spent.db").write_bytes(b"no database" * 1000)
    with pytest.raises(Unreachable):
        one.spend(a_token(), PAYLOAD, action=ACTION)


@pytest.mark.parametrize("given", [{"fresh": 0}, {"fresh": 99_999}])
def test_a_setting_that_means_nothing_is_refused(tmp_path: Any, given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        guard(Word(), f"sqlite:///{tmp_path / 'spent.db'}", **given)
    for where in ("https://signoff.example", "ftp://x", "x"):
        with pytest.raises(ConfigError):
            Guard(f"sqlite:///{tmp_path / 'spent.db'}", SIGNER.verify_key, agents=["a"], stops=where)
    with pytest.raises(ConfigError):
        Guard(f"sqlite:///{tmp_path / 'spent.db'}", SIGNER.verify_key, agents=["a"]).watch()


CLAIMS = {"iss": DEPLOYMENT, "sub": "stops", "iat": int(time.time()), "number": 1, "stops": []}


@given(st.dictionaries(st.sampled_from(["number", "stops", "iat", "sub", "iss", "aud"]), st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["kind", "name", "said", "at", "until", "undos"]), inner),
)))  # fmt: skip
def test_whatever_is_signed_a_statement_is_read_or_refused_and_nothing_else(changes: dict[str, Any]) -> None:
    claims = CLAIMS | changes
    try:
        found = stops.verify(SIGNER.seal(STOPS, claims), KEYS)
    except NotVerified:
        return
    assert found.number == claims["number"] >= 0 and len(found.stops) == len(claims["stops"])


def test_no_other_signed_thing_is_taken_for_a_statement() -> None:
    for token in (a_token(), SIGNER.seal(RECEIPT, CLAIMS), SIGNER.seal(STOPS, CLAIMS) + "x"):
        with pytest.raises(NotVerified):
            stops.verify(token, KEYS)
