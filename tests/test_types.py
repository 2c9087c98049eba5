"""What a type checker says of an agent's code: nothing of README's lines, and something of each wrong use."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from signoff import AsyncSignoff, Signoff
from signoff.client.claims import Ask, Claims, Options

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP = """\
from datetime import datetime, timedelta
from typing import Any
from signoff import ApprovedReceipt, AsyncSignoff, Receipt, Signoff
client = Signoff()
other = AsyncSignoff()
"""
RIGHT = """\
client.ask("x", {"a": 1}, reversible="costly", tags=["money"], expires_in=timedelta(1), risk="low")
client.ask("x", {}, editable=["a"], alternatives="none", context={"a": 1}, requested_by="Ana")
client.ask("x", {}, schema={}, key="k", timeout=5, runs="at-least-once").payload["amount"]
client.request("x", {}).wait().payload["amount"]
@client.require_approval
def plain(amount: int) -> int: return amount
@client.require_approval(condition=lambda amount: amount > 1, reason=lambda amount: "x", ignore=["ctx"])
def asked(amount: int, ctx: object) -> int: return amount
@other.require_approval(reversible=True, on_reject="explain", tags=("money",), runs="once", timeout=5)
async def awaited(amount: int) -> int: return amount
async def asks(amount: int) -> bool: return True
@other.require_approval(condition=asks, fallback=lambda error: 0, encode={"amount": (str, int)}, report=False)
async def decided(amount: int) -> int: return amount
number: int = plain(1) + asked(1, None)
async def run() -> None:
    receipt: ApprovedReceipt = await other.ask("x", {})
    (await (await other.request("x", {})).wait()).payload["amount"]
    number: int = await awaited(1)
"""
WRONG = """\
client.ask("x", {}, tags="money")
client.ask("x", {}, editable="amount")
client.ask("x", {}, expires_in="1h")
client.ask("x", {}, expires_in=datetime.now())
client.ask("x", {}, risk="severe")
client.ask("x", {}, reversible="no")
client.ask("x", {}, reversable=True)
client.ask("x", {}, key=991)
client.ask("x", {}, cost="12 EUR")
client.ask("x", {}, timeout="10m")
client.ask("x", {}, runs="twice")
client.ask("x", [1])
client.ask("x", "{}")
client.request("x", {}, confidence="high")
other.request("x", {}, attempts="two")
client.require_approval(actoin="x")
client.require_approval(tags="money")
client.require_approval(condition="amount > 1")
client.require_approval(condition=lambda amount: "yes")
client.require_approval(on_reject="explian")
client.require_approval(runs="twice")
client.require_approval(timeout="1h")
client.require_approval(schema={})
client.require_approval("refund.create")
client.require_approval(fallback="x")
client.require_approval(ignore="ctx")
client.require_approval(reversible="no")
other.require_approval(encode={"a": str})
other.require_approval(report="yes")
"""


OWN = {Ask: set(Ask.__annotations__), Options: set(Options.__annotations__) - set(Claims.__annotations__)}
"""What each of the two describes itself."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What mypy says of each file, a line a fault."""
    folder = tmp_path_factory.mktemp("types")
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len(blocks) >= 4
    (folder / "readme.py").write_text("\n".join(blocks))
    (folder / "right.py").write_text(SETUP + RIGHT)
    (folder / "wrong.py").write_text(SETUP + WRONG)
    names = ["readme.py", "right.py", "wrong.py"]
    run = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict", "--config-file", "/dev/null", "--no-error-summary",
            "--hide-error-context", "--cache-dir", str(folder / "cache"), *names,
        ],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout + run.stderr
    lines = [line for line in run.stdout.splitlines() if ": error: " in line]
    assert all(line.partition(":")[0] in names for line in lines), run.stdout
    return {name: [line for line in lines if line.startswith(name)] for name in names}


def test_the_readmes_lines_hold(told: dict[str, list[str]]) -> None:
    assert told["readme.py"] == []


def test_every_right_use_holds(told: dict[str, list[str]]) -> None:
    assert told["right.py"] == []


@pytest.mark.parametrize("number", range(1, len(WRONG.splitlines()) + 1))
def test_every_wrong_use_is_found(told: dict[str, list[str]], number: int) -> None:
    place = f"wrong.py:{len(SETUP.splitlines()) + number}:"
    assert any(line.startswith(place) for line in told["wrong.py"]), WRONG.splitlines()[number - 1]


@pytest.mark.parametrize("kind", [Signoff, AsyncSignoff])
def test_help_lists_what_may_be_said_and_each_name_is_described(kind: type) -> None:
    for method, names in (("ask", Ask), ("request", Ask), ("ask_async", Ask), ("require_approval", Options)):
        function = getattr(kind, method)
        parameters = inspect.signature(function).parameters
        assert names.__annotations__.keys() <= parameters.keys()
        assert all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values())
        assert OWN[names] <= described(function)


def described(what: object) -> set[str]:
    return set(re.findall(r"^(\w+): ", inspect.getdoc(what) or "", re.M))


def test_every_name_is_described_where_it_is_declared() -> None:
    for names, own in OWN.items():
        assert own <= described(names)
