"""`python -m attacks [NAME …]`: a line an attack, exit 1 when one gets through."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from attacks import rules
from attacks.world import GotThrough, World
from signoff.cli.demo.stage import Stage

BOOKS = (
    "receipts", "road", "flood", "users", "people", "changes", "policy", "sums", "costs", "eyes", "cards",
    "rows", "log", "folder",
)  # fmt: skip
"""Modules of attacks, in the order in which they are tried. Every public function of one is an attack."""
Attack = Callable[[World], None]


def attacks(wanted: list[str]) -> Iterator[tuple[str, Attack]]:
    """Book and attack, all of them or those whose book or name is wanted."""
    for book in BOOKS:
        module = import_module(f"attacks.{book}")
        for name, found in vars(module).items():
            ours = callable(found) and getattr(found, "__module__", "") == module.__name__
            if ours and not name.startswith("_") and (not wanted or {book, name} & set(wanted)):
                yield book, found


@contextmanager
def world(env_file: Path | None, data: Path | None, policy: Path | None = None) -> Iterator[World]:
    """The server that is attacked: yours, or one that is started for it and gone afterwards.

    The attacks' own rules are in force meanwhile: yours come back afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="signoff-attacks-") as name:
        folder = Path(name)
        stage, yours = None, policy.read_text() if policy else ""
        if env_file is None or data is None:
            policy = folder / "policy.yml"
            rules.write(policy, rules.TEXT)
            stage = Stage(folder, {"SIGNOFF_POLICY": str(policy)})
            stage.open()
            env_file, data = folder / "slack.env", stage.server_data
        work = folder / "work"
        work.mkdir()
        made = World(env_file, data, work, policy)
        try:
            if stage is None and policy:
                rules.write(policy, rules.TEXT)
                rules.until_in_force(made, rules.TEXT)
            yield made
        finally:
            made.close()
            if stage is None and policy:
                rules.write(policy, yours)
            if stage:
                stage.close()


def _told(attack: Attack) -> str:
    return " ".join((attack.__doc__ or attack.__name__).split())


def main() -> int:
    """Try them all; 0 where all were held."""
    parser = argparse.ArgumentParser(prog="python -m attacks", description=__doc__)
    parser.add_argument("name", nargs="*", help="a book or an attack; all of them if none is named")
    parser.add_argument("--env-file", type=Path, help="what `signoff sandbox --env-file` wrote")
    parser.add_argument("--data", type=Path, help="your server's data folder")
    parser.add_argument("--policy", type=Path, help="its SIGNOFF_POLICY: written over, and put back")
    parser.add_argument("--list", action="store_true", help="only say what would be tried")
    arguments = parser.parse_args()
    if arguments.list:
        for book, attack in attacks(arguments.name):
            print(f"{book:<9} {attack.__name__}: {_told(attack)}")
        return 0
    if (arguments.env_file is None) != (arguments.data is None):
        parser.error("say both --env-file and --data, or neither: then a server is started for it")
    lost = count = 0
    with world(arguments.env_file, arguments.data, arguments.policy) as made:
        for book, attack in attacks(arguments.name):
            began, count = time.monotonic(), count + 1
            told = _told(attack)
            try:
                attack(made)
                said = "held       "
            except GotThrough as how:
                said, told, lost = "GOT THROUGH", f"{told} {how}", lost + 1
            except Exception:
                said, told, lost = "NOT TRIED  ", f"{told}\n{traceback.format_exc()}", lost + 1
            print(f"{said} {book:<9} {time.monotonic() - began:5.1f} s  {told}", flush=True)
    print(f"{count} attacks, {count - lost} held, {lost} not.")
    return 1 if lost or not count else 0


if __name__ == "__main__":
    sys.exit(main())
