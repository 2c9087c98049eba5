"""What waits and one request, as whoever runs the server reads them in a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support import Core

from signoff.cli import requests
from signoff.cli.main import main
from signoff.models.store import Store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(core: Core, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """run(*words) → exit code, stdout, stderr; on the test's database."""

    @contextmanager
    def opened() -> Iterator[tuple[Any, Store]]:
        yield None, core.store

    def signoff(*words: str) -> tuple[int, str, str]:
        code = main(words)
        return code, *capsys.readouterr()

    monkeypatch.setattr(requests, "opened_store", opened)
    return signoff


def test_what_waits_is_told_apart_by_what_differs_and_by_a_code(core: Core, run: Run) -> None:
    asked = [core.submit(payload={"amount": amount, "customer": "cus_42"}) for amount in (12, 120, 12_000)]
    code, out, _ = run("pending")
    lines = out.splitlines()
    assert code == 0 and len(lines) == 6
    for one, amount, first, second in zip(asked, (12, 120, 12_000), lines[::2], lines[1::2], strict=True):
        assert first == f"{one.code}  refund.create: amount “{amount}”, customer “cus_42”"
        assert "billing-bot asked 20" in second and "nobody said whether it can be undone" in second
        assert " · until 20" in second and second.endswith(one.request_id)
    assert [one["id"] for one in json.loads(run("pending", "--json")[1])] == [one.id for one in asked]


def test_what_others_wrote_moves_nothing_in_a_terminal(core: Core, run: Run) -> None:
    core.submit(payload={"note": "a\x1b[2J\u202eb\nAPPROVED"})
    out = run("pending")[1]
    assert "\x1b" not in out and "\u202e" not in out and len(out.splitlines()) == 2


def test_one_request_is_shown_by_its_code_its_id_or_the_beginning_of_that(core: Core, run: Run) -> None:
    one = core.submit(payload={"amount": 120}, reason="Ticket 991")
    core.approvals.decide(one.id, 1, "U0ANA", "reject", reason="Wrong customer.")
    for asked in (one.code, one.code.lower(), one.id, one.id[:9]):
        code, out, _ = run("show", asked)
        assert code == 0 and out.startswith(f"{one.code}  refund.create: amount “120”")
        for part in ("reason   Ticket 991", "Wrong customer.", "U0ANA", "· rejected ·", '"amount": 120'):
            assert part in out, part
    assert json.loads(run("show", one.code, "--json")[1])["status"] == "rejected"


@pytest.mark.parametrize(
    ("asked", "told"),
    [("ZZZZZZ", "there is no request"), ("x", "neither a code"), ("ffffffff", "there is no")],
)
def test_what_is_not_there_is_said_in_one_line(run: Run, asked: str, told: str) -> None:
    code, out, err = run("show", asked)
    assert (code, out) == (2, "") and told in err and err.count("\n") == 1
