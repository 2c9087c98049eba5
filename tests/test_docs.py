"""The docs are true: settings, layout, links, and the code in the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from signoff.cli.main import EPILOG
from signoff.client.testing import Approvals
from signoff.server.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)


def section(title: str) -> str:
    """One section of the README, with its heading's lower ones."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_setting_of_the_server_is_in_the_readme_and_no_other() -> None:
    prefix = Settings.model_config["env_prefix"]
    real = {field.alias or f"{prefix}{name}".upper() for name, field in Settings.model_fields.items()}
    said = set(re.findall(r"^\| `(\w+)` \|", section("Settings").partition("The server's:")[2], re.M))
    assert said == real


def test_every_exit_code_of_the_help_is_in_the_readme() -> None:
    said = set(re.findall(r"^\| (\d+) \|", section("Commands and exit codes"), re.M))
    assert said == set(re.findall(r"\b(\d+) [A-Za-z]", EPILOG.partition("exit:")[2]))


def test_every_module_at_the_top_is_in_the_layout() -> None:
    layout = section("Layout, and why")
    names = {file.name for file in (ROOT / "signoff").glob("*.py")} - {"__init__.py"}
    folders = {file.parent.name for file in (ROOT / "signoff").glob("*/__init__.py")}
    missing = {name for name in names if f"`{name}`" not in layout}
    missing |= {name for name in folders if f"`{name}/" not in layout}
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.M)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


def test_the_readmes_code_runs(signoff_approvals: Approvals) -> None:
    refunded: list[Any] = []
    names: dict[str, Any] = {"refund": lambda **payload: refunded.append(payload)}
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    signoff_approvals.approve("*")
    for block in blocks:
        exec(block, names)
    assert refunded == [{"customer": "cus_42", "amount": 120}]
    assert [request.action for request in signoff_approvals.requests] == [
        "refund.create", "refund.create", "report.publish"
    ]  # fmt: skip
    names["test_the_corrected_amount_is_refunded"](signoff_approvals)
