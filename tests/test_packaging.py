"""What is in the distribution, and what it says of itself."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import signoff

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as found:
        yield found


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
        "server",
        "embedded",
        "postgres",
        "witness",
        "dev",
        "release",
    }


def test_the_command_and_the_pytest_fixture_are_announced(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    announced = wheel.read(name).decode()
    assert "signoff = signoff.cli.main:main" in announced
    assert "signoff = signoff.testing" in announced


def test_the_manifest_beside_the_readme_is_the_one_that_the_command_prints() -> None:
    shipped = ROOT / "signoff" / "bot" / "slack" / "manifest.yml"
    assert (ROOT / "manifest.yml").read_bytes() == shipped.read_bytes()


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{signoff.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
