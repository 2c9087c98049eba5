"""The docs are true: settings, rooms, tables, words, links, and the code in the README."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from test_rooms import PACKAGE, ROOMS, ROOT

from signoff.cli.main import EPILOG
from signoff.client.testing import Approvals
from signoff.models import tables
from signoff.models.receipt import Status
from signoff.server.settings import Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def section(title: str, page: str = README) -> str:
    """One section of a page, with its heading's lower ones."""
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """What stands in the first column of the tables in a text."""
    return [cell for cell in re.findall(r"^\| ([^|]+?) \|", text, re.M) if set(cell) - set("-: ")]


def test_every_setting_of_the_server_is_in_the_readme_and_no_other() -> None:
    prefix = Settings.model_config["env_prefix"]
    real = {field.alias or f"{prefix}{name}".upper() for name, field in Settings.model_fields.items()}
    said = set(re.findall(r"^\| `(\w+)` \|", section("Settings").partition("The server's:")[2], re.M))
    assert said == real


def test_every_exit_code_of_the_help_is_in_the_readme() -> None:
    said = set(re.findall(r"^\| (\d+) \|", section("Commands and exit codes"), re.M))
    assert said == set(re.findall(r"\b(\d+) [A-Za-z]", EPILOG.partition("exit:")[2]))


def test_the_rooms_of_the_design_are_those_that_are_held_in_their_order() -> None:
    built = [name for name in ROOMS if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()]
    said = [name.strip("`").removesuffix("/") for name in first_cells(section("The house", DESIGN))[1:]]
    assert [name.removesuffix(".py") for name in said] == built


def test_the_tables_of_the_design_are_those_of_the_database() -> None:
    said = set(re.findall(r"`(\w+)`", " ".join(first_cells(section("Tables", DESIGN)))))
    real = {row.__table__.name for row in vars(tables).values() if hasattr(row, "__table__")}
    assert said == real


def references() -> Iterator[str]:
    for folder in ("signoff", "tests", "bench"):
        for file in (ROOT / folder).rglob("*.py"):
            yield from re.findall(r"\(design: (\w[^)]*)\)", file.read_text(encoding="utf-8"))


def test_what_the_code_calls_a_chapter_of_the_design_is_one() -> None:
    named = set(references())
    assert named and named <= set(re.findall(r"^## (.*)$", DESIGN, re.M))


def test_decisions_are_numbered_told_in_full_and_found_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for number, page in enumerate(DECISIONS, 1):
        text = page.read_text(encoding="utf-8")
        assert page.name.startswith(f"{number:04}-") and text.startswith(f"# {number}. "), page.name
        chapters = re.findall(r"^## (.*)$", text, re.M)
        assert chapters == ["Context", "Decision", "Consequences", "What was measured"], page.name
    assert {page.name for page in (ROOT / "docs" / "decisions").glob("*.md")} - {"README.md"} == set(
        re.findall(r"\]\(([^)]+)\)", index)
    )


def test_a_word_has_one_meaning() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [word for cell in first_cells(glossary) if cell != "word" for word in cell.split(", ")]
    assert len(words) > 40 and sorted(words) == sorted(set(words))


def test_the_glossary_has_every_end_of_a_request_and_no_other() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    said = glossary.partition("**How a request ends:**")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", said)) == set(get_args(Status))


def test_every_log_line_that_operators_are_told_of_is_written_somewhere() -> None:
    operating = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    table = operating.partition("| it says | what to do |\n")[2].partition("\n\n")[0]
    code = "\n".join(file.read_text(encoding="utf-8") for file in sorted(PACKAGE.rglob("*.py")))
    lines = re.findall(r"^\| `([^`]+)`", table, re.M)
    assert len(lines) > 5
    for line in lines:
        text, _, logger = line.rstrip("]").partition(" [")
        parts = [part.strip() for part in re.split(r"…|=…|\b\d+\b", text)]
        assert [part for part in parts if part not in code] == [], line
        assert not logger or f'getLogger("{logger}")' in code, line


def test_the_changelog_has_a_line_for_each_change_by_who_notices_it() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## ")[2]
    lines = [line for line in changes.splitlines()[1:] if line]
    assert [line for line in lines if not line.startswith(("- ", "### ", "## "))] == []
    readers = {"For those who write agents", "For reviewers", "For operators"}
    assert {line.removeprefix("### ") for line in lines if line.startswith("### ")} == readers


def test_ci_runs_each_python_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    tried = workflow["jobs"]["run"]["strategy"]["matrix"]["python"]
    named = [line.rpartition(" ")[2] for line in project["classifiers"] if ":: Python :: 3." in line]
    assert tried == named and project["requires-python"] == f">={tried[0]}"
    (step,) = [step for step in workflow["jobs"]["run"]["steps"] if "run" in step]
    assert (ROOT / step["run"]).is_file()


def test_the_hooks_before_a_commit_are_the_projects_own_tools() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    entries = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    assert [entry.split()[0] for entry in entries] == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy"]


def promises() -> list[tuple[str, str]]:
    """The lines of security.md's tables of threats: the threat, and the cell that names its tests."""
    tables = re.findall(r"^\| threat \|.*\n\|[-| ]+\n((?:\|.*\n)+)", SECURITY, re.M)
    rows = [line.strip("| ").split(" | ") for table in tables for line in table.splitlines()]
    return [(row[0], row[-1]) for row in rows]


def test_every_threat_of_the_security_page_names_a_test_or_two_that_are_there() -> None:
    assert len(promises()) > 60 and SECURITY.count("| threat |") == 14
    for threat, cell in promises():
        assert re.fullmatch(r"`[^`]+`(, `[^`]+`)?", cell), threat
    named = re.findall(r"`([^`\s:]+)(?:::\w+)*::([^`\s:]+)`", SECURITY)
    assert len(named) >= len(promises())
    for file, function in named:
        path = ROOT / file
        assert path.is_file() and path.is_relative_to(ROOT / "tests"), file
        assert re.search(rf"^ *(?:async )?def {function}\(", path.read_text(encoding="utf-8"), re.M), function


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_and_folders_that_a_page_names_are_there(page: Path) -> None:
    for name in re.findall(r"`([\w-]+/[\w/.-]*)`", page.read_text(encoding="utf-8")):
        top = name.partition("/")[0]
        if top in {"signoff", "tests", "bench", "docs", *ROOMS}:
            assert (ROOT / name).exists() or (PACKAGE / name).exists() or f"{top}/" == name, name


def test_the_readmes_code_runs(signoff_approvals: Approvals, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    signoff_approvals.approve("*")
    for block in blocks:
        exec(block, names)
    assert capsys.readouterr().out == "refunded 120 to cus_42\n"
    assert [request.action for request in signoff_approvals.requests] == [
        "refund.create", "refund.create", "report.publish"
    ]  # fmt: skip
    names["test_the_corrected_amount_is_refunded"](signoff_approvals)
