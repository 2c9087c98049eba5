"""`python -m attacks`: a line an attack, and its exit code says whether one got through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1]
FAST = (
    "another_spelling_of_a_receipt_counts_as_another_receipt", "a_receipt_is_spent_twice",
    "a_request_is_replaced_in_flight", "an_agent_does_what_only_others_may", "a_stranger_approves",
    "mail_goes_outside_by_a_line_break", "many_small_ones_at_once_are_more_than_the_sum",
    "any_column_that_decides_is_changed", "a_double_is_pressed_and_decides_twice",
)  # fmt: skip
PLANTED = '''
import sys
from attacks import __main__, people
from attacks.world import held

def an_attack_that_gets_through(world):
    """One that succeeds."""
    held(False, "it did")

def an_attack_that_cannot_be_tried(world):
    """One that fails by itself."""
    raise OSError("nothing is there")

for one in (an_attack_that_gets_through, an_attack_that_cannot_be_tried):
    one.__module__ = people.__name__
    setattr(people, one.__name__, one)
sys.exit(__main__.main())
'''


def attacks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=SOURCE, env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.long
def test_attacks_are_held_and_each_is_a_line() -> None:
    run = attacks("-m", "attacks", *FAST)
    assert run.returncode == 0, run.stdout + run.stderr
    *lines, last = run.stdout.splitlines()
    assert len(lines) == len(FAST) and all(line.startswith("held ") for line in lines)
    assert last == f"{len(FAST)} attacks, {len(FAST)} held, 0 not."


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "said"),
    [("an_attack_that_gets_through", "GOT THROUGH"), ("an_attack_that_cannot_be_tried", "NOT TRIED")],
)
def test_one_that_is_not_held_gives_exit_1(name: str, said: str) -> None:
    run = attacks("-c", PLANTED, name, "words_in_a_thread_approve")
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"{said} " in run.stdout and "held  " in run.stdout
    assert run.stdout.endswith("2 attacks, 1 held, 1 not.\n")


@pytest.mark.long
def test_a_name_of_nothing_is_no_attack_that_was_held() -> None:
    assert attacks("-m", "attacks", "no_such_attack").returncode == 1


def test_what_is_listed_says_what_is_done() -> None:
    run = attacks("-m", "attacks", "--list")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert len(lines) >= 70 and len(set(lines)) == len(lines)
    assert all(line.partition(": ")[2].endswith(".") for line in lines)
