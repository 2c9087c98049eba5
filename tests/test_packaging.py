"""What is in the distribution, and what it says of itself."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import signoff
from signoff.cli import forker
from signoff.cli.main import EXTRAS

ROOT = Path(__file__).parents[1]
HOME = "https://example.org/acme/signoff"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built without a network, as from anywhere."""
    with zipfile.ZipFile(build(tmp_path_factory.mktemp("dist"), "wheel")) as found:
        yield found


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheel and source as the release workflow builds them."""
    folder = tmp_path_factory.mktemp("released")
    build(folder, "wheel", SIGNOFF_REPOSITORY=HOME)
    build(folder, "sdist", SIGNOFF_REPOSITORY=HOME)
    return folder


def build(folder: Path, kind: str, **more: str) -> Path:
    """A distribution of this repository, in a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    here = {name: value for name, value in os.environ.items() if name != "SIGNOFF_REPOSITORY"}
    subprocess.run(command, cwd=ROOT, env={**here, **more}, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_the_package_and_what_it_reads(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    source = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "signoff").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == source
    assert {"signoff/py.typed", "signoff/bot/slack/manifest.yml"} <= names
    assert any(name.startswith("signoff/models/migrations/versions/") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_metadata_says_what_it_is(metadata: Message) -> None:
    assert metadata["Name"] == "signoff"
    assert metadata["Version"] == signoff.__version__ == PROJECT["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_a_plain_install_asks_for_the_five_and_the_extras_for_the_rest(metadata: Message) -> None:
    required = metadata.get_all("Requires-Dist", [])
    assert sum("extra ==" not in line for line in required) == 5
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "server", "embedded", "postgres", "witness", "otel",
        "langchain", "pydantic-ai", "openai-agents", "claude-agent-sdk", "fastmcp", "mcp", "rq",
        "adapters", "recipes", "tests", "docs", "dev", "release",
    }  # fmt: skip


def test_the_command_and_the_pytest_fixture_are_announced(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    announced = wheel.read(name).decode()
    assert "signoff = signoff.cli.entry:main" in announced
    assert "signoff = signoff.testing" in announced


def test_the_manifest_beside_the_readme_is_the_one_that_the_command_prints() -> None:
    shipped = ROOT / "signoff" / "bot" / "slack" / "manifest.yml"
    assert (ROOT / "manifest.yml").read_bytes() == shipped.read_bytes()


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{signoff.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_release_says_where_it_comes_from_and_its_page_is_taken(released: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "twine", "check", "--strict", *released.iterdir()],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.count("PASSED") == 2, done.stdout + done.stderr
    (wheel,) = released.glob("*.whl")
    with zipfile.ZipFile(wheel) as found:
        (name,) = (name for name in found.namelist() if name.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(found.read(name).decode())
    assert said["Description-Content-Type"] == "text/markdown"
    urls = dict(line.split(", ", 1) for line in said.get_all("Project-URL", []))
    assert urls.keys() == {"Documentation", "Source", "Changelog", "Issues"}
    assert all(url.startswith(HOME) for url in urls.values())
    page, readme = str(said.get_payload()), (ROOT / "README.md").read_text(encoding="utf-8")
    led = re.findall(r"\]\(([^)]+)\)", page)
    assert len(led) == len(re.findall(r"\]\(([^)]+)\)", readme)) > 20
    for link in led:
        assert link.startswith(("https://", "#")), link
        if link.startswith(HOME):
            kind, tag, path = link.removeprefix(f"{HOME}/").partition("#")[0].split("/", 2)
            assert tag == f"v{signoff.__version__}" and (ROOT / path).exists(), link
            assert kind == ("raw" if path.endswith(".png") else "blob"), link


def test_without_a_place_the_page_stays_as_the_repository_has_it(metadata: Message) -> None:
    assert metadata.get_all("Project-URL") is None
    assert "(docs/images/card.png)" in str(metadata.get_payload())


def test_the_source_is_enough_to_build_the_wheel(released: Path, tmp_path: Path) -> None:
    (source,) = released.glob("*.tar.gz")
    with tarfile.open(source) as found:
        found.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")]
    environment = {**os.environ, "SIGNOFF_REPOSITORY": HOME}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
    (again,) = (tmp_path / "again").iterdir()
    (wheel,) = released.glob("*.whl")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(wheel) as other:
        assert {name: one.read(name) for name in one.namelist()} == {
            name: other.read(name) for name in other.namelist()
        }


def test_every_extra_that_a_text_names_is_one() -> None:
    files = [
        *(ROOT / "signoff").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"),
        *(file for file in (ROOT / "deploy").rglob("*") if file.is_file() and file.suffix != ".pyc"),
        ROOT / ".ci" / "run",
    ]  # fmt: skip
    named = {
        extra.strip()
        for file in files
        for found in re.findall(r"(?:signoff|\.|whl\))\[([a-z, ]+)\]['\" ]", file.read_text(encoding="utf-8"))
        for extra in found.split(",")
    }
    assert {"server", "embedded", "postgres", "witness"} <= named <= set(PROJECT["optional-dependencies"])


def test_a_missing_library_is_told_by_the_extra_that_brings_it() -> None:
    """What the command line says to install for a module is what pyproject.toml has it in."""
    extras = PROJECT["optional-dependencies"]
    brought = {
        "cel": "common-expression-language",
        "yaml": "pyyaml",
        "sqlalchemy": "sqlmodel",
        "markupsafe": "jinja2",
        **dict.fromkeys(("mcp_types", "httpx2", "anyio"), "mcp"),
    }
    for module, extra in EXTRAS.items():
        library = brought.get(module, module.replace("_", "-"))
        names = {re.split(r"[\[><=; ]", line)[0].lower() for line in extras[extra]}
        assert library in names, module
    for library in extras["server"]:
        name = re.split(r"[\[><=; ]", library)[0].lower()
        known = {brought.get(module, module.replace("_", "-")) for module in EXTRAS}
        assert name in known, f"{name}: which module of it may be missing?"


OURS = {"tests", "dev", "docs", "recipes", "release"}
"""Extras that nobody installs who only runs it."""


def brought(*extras: str) -> set[str]:
    """Distributions that an install with these extras brings here, with all that they bring in turn."""
    found, asked = set[tuple[str, str]](), [("signoff", extra) for extra in ("", *extras)]
    while asked:
        name, extra = asked.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for line in requires(name) or ():
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                asked += [(canonicalize_name(one.name), more) for more in ("", *one.extras)]
    return {name for name, _ in found}


def strangers(modules: set[str], distributions: set[str]) -> set[str]:
    """Those of these modules that are neither Python's own nor of any of the distributions."""
    owners, known = packages_distributions(), {"signoff", *sys.stdlib_module_names}
    return {
        module
        for module in modules
        if (top := module.partition(".")[0]) not in known
        and not distributions.intersection(map(canonicalize_name, owners.get(top, ())))
    }


def test_what_the_code_imports_is_brought_by_an_extra_that_people_install() -> None:
    imported = set[str]()
    for file in (ROOT / "signoff").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module)
    assert len(imported) > 300
    extras = set(PROJECT["optional-dependencies"]) - OURS
    assert strangers(imported, brought(*extras)) == {"pytest"}  # which loads the fixture itself


def test_what_the_servers_roles_are_forked_with_is_brought_by_its_extra() -> None:
    assert strangers({*forker.LOADED}, brought("server")) == set()
    assert strangers({*forker.LOADED}, brought())  # so it can fail


def test_a_release_is_published_without_a_token_and_attested() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    assert jobs[True] == {"push": {"tags": ["v*"]}} and jobs["permissions"] == {}
    rights = {name: job["permissions"] for name, job in jobs["jobs"].items()}
    assert {name for name, given in rights.items() if "id-token" in given} == {"publish", "npm", "image"}
    steps = {name: job["steps"] for name, job in jobs["jobs"].items()}
    uses = [step["uses"] for job in steps.values() for step in job if "uses" in step]
    assert all(re.search(r"@(v\d+|release/v1)$", one) for one in uses)
    for name in ("publish", "image"):
        assert any("attest-build-provenance" in step.get("uses", "") for step in steps[name]), name
    (pypi,) = (step for step in steps["publish"] if "gh-action-pypi-publish" in step.get("uses", ""))
    assert pypi["with"] == {"packages-dir": "packages", "attestations": True}
    assert jobs["jobs"]["publish"]["environment"] == "pypi"
    assert steps["npm"][-1] == {"run": "npm publish --provenance --access public"}
    (made,) = (step for step in steps["build"] if step.get("run") == "make release")
    assert set(made["env"]) == {"SIGNOFF_REPOSITORY"}
    pythons = jobs["jobs"]["install"]["strategy"]["matrix"]["python"]
    assert pythons == [
        line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: Python :: 3." in line
    ]
    assert "secrets." not in json.dumps(jobs)
