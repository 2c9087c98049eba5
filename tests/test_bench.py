"""The benchmarks run and say what they found. How fast that is, no test asserts: machines differ."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # bench is no part of the package

from bench import (  # noqa: E402
    adapters,
    batches,
    burst,
    clickers,
    decisions,
    hook,
    imports,
    minute,
    road,
    stops,
    timer,
    verdicts,
    waits,
)
from bench.__main__ import main  # noqa: E402
from bench.stage import Stage  # noqa: E402
from bench.table import Row, render  # noqa: E402


@pytest.fixture(autouse=True)
def _needs_redis(redis_url: str) -> None:
    """A Redis that `signoff serve` could start is there, or the test is skipped."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    found = Stage(tmp_path)
    yield found
    found.close()


def milliseconds(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"([\d.]+) ms", text)]


def test_the_road_is_measured_beside_its_floor(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(road, "WARM", 1)
    posted, bare = road.beside(stage)
    click, awake, card = road.run(stage, posted, bare, 2)
    for row in (click, awake, card):
        p50, p99 = milliseconds(row.reached)
        assert 0 < p50 <= p99
        assert all(found > 0 for found in milliseconds(row.floor))
        assert float(row.ratio.split()[0]) > 0
        assert row.verdict in ("met", "missed")
    [row] = burst.run(stage, 3)
    assert "cards/s" in row.reached
    [row] = clickers.run(stage, bare, 1, 16, "SQLite")
    assert float(row.reached) > 0 and "bare Bolt" in row.floor
    bare.close()


def test_the_policy_is_measured_with_claims_and_without() -> None:
    for row in verdicts.run(1):
        assert row.reached.startswith("p50 ") and row.verdict in ("met", "missed")


def test_waits_are_measured_at_each_scale() -> None:
    memory, singly, trip, woken, verified = waits.run(1, ((20, 10),))
    assert memory.reached.endswith("MB")
    assert all(found > 0 for row in (singly, trip) for found in milliseconds(row.reached))
    assert milliseconds(woken.reached)[0] > 0
    assert milliseconds(verified.reached)[0] > 0


def test_adapters_are_measured_over_each_frameworks_own_agent() -> None:
    rows = adapters.run(1, 6)
    added = [row for row in rows if row.what.startswith("adds to a tool call, ")]
    beside = [row for row in rows if row.what.startswith("a call beside 6 that wait, ")]
    assert len(added) + len(beside) == len(rows)
    for kind in adapters.FRAMEWORKS:
        assert any(kind in row.what for row in added) and any(kind in row.what for row in beside)
    for row in rows:
        assert milliseconds(row.floor) and row.verdict in ("met", "missed")
    assert all(found > 0 for row in beside for found in milliseconds(row.reached))


def test_decisions_are_counted_on_both_databases() -> None:
    sqlite, *postgresql = decisions.run(1, 5)
    assert float(sqlite.reached.replace(",", "")) > 0
    assert float(sqlite.floor.replace(",", "")) > 0
    assert [row.what[-9:] for row in postgresql] == ["1 at once", "4 at once"]


def test_a_batch_is_measured_to_its_card_and_decided_on_both_databases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "MANY", 6)
    card, *decided = batches.run()
    assert "a batch of 6" in card.what and float(card.reached.split()[0]) > 0
    assert [row.what.split(", ")[1] for row in decided] == ["SQLite", "PostgreSQL"]
    assert all(float(row.reached.split()[0]) > 0 and row.verdict in ("met", "missed") for row in decided)


def test_a_minute_is_measured_without_slacks_rates_and_with_them() -> None:
    question, batch, last, each, refused = minute.run(2)
    assert all(row.verdict in ("met", "missed") for row in (question, batch, refused))
    assert "cards in one channel" in last.what and float(last.reached.split()[0]) > 0
    assert each.reached.count(" s") == 2 and " of " in refused.reached


def test_the_hook_is_measured_beside_bare_python() -> None:
    [row] = hook.run(2)
    assert milliseconds(row.reached)[0] > milliseconds(row.floor)[0] and float(row.ratio) > 1


def test_imports_are_measured_over_bare_python(capsys: pytest.CaptureFixture[str]) -> None:
    rows = imports.run(1)
    assert [row.what for row in rows] == list(imports.STATEMENTS)
    assert main(["import", "--rounds", "1"]) == 0
    assert "from signoff import Signoff" in capsys.readouterr().out


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["everything"])
    assert "everything" in capsys.readouterr().err


def test_the_ratio_is_the_median_of_each_rounds_own() -> None:
    rounds = timer.Rounds()
    for ours, theirs in ((2, 1), (30, 10), (5, 1)):
        rounds.add(ours, theirs)
    assert rounds.ratio == 3


def test_columns_stand_below_each_other() -> None:
    text = render([Row("a", "1 ms"), Row("longer", "20 ms", "1 ms", "20", "≤ 2", "missed")])
    head, _, first, second = text.splitlines()
    assert head.index("reached") == first.index("1 ms") == second.index("20 ms")


def test_a_stop_is_measured_until_the_last_that_waits_was_told() -> None:
    told, withdrawn, ended, *_ = stops.run(20)
    for row in (told, withdrawn, ended):
        assert 0 < float(row.reached.removesuffix(" s")) < 60
