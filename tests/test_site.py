"""The docs as a site: built strictly, nothing in it leads nowhere, and nothing comes from anywhere else."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import signoff

ROOT = Path(__file__).parents[1]


class Page(HTMLParser):
    """What a page leads to, what it loads, and the places in it that can be led to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("link", "script", "img", "iframe", "source") and given.get("rel") != "canonical":
            self.loaded += [given[name] for name in ("href", "src") if name in given]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make docs` builds it, elsewhere."""
    spec = importlib.util.spec_from_file_location("site_source", ROOT / "docs" / "site.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("site")
    module.stage(folder)
    command = [Path(sys.executable).parent / "zensical", "build", "--strict", "--config-file", "mkdocs.yml"]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


def test_every_link_of_the_site_leads_somewhere_in_it(site: Path) -> None:
    pages = {file: Page(file) for file in site.rglob("*.html")}
    assert len(pages) > 40
    lost = []
    for file, page in pages.items():
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme in ("https", "mailto", "data"):
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            found = target.is_file() and (
                not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].places
            )
            if not found and file.name != "404.html":
                lost.append(f"{file.relative_to(site)} → {link}")
    assert lost == []


def test_the_site_loads_nothing_from_anywhere_else(site: Path) -> None:
    for file in site.rglob("*.html"):
        assert [one for one in Page(file).loaded if "//" in one and not one.startswith("data:")] == [], file
    for file in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", file.read_text(encoding="utf-8")), file


def test_the_reference_has_every_public_name_with_what_it_is(site: Path) -> None:
    text = " ".join(
        (site / "reference" / f"{name}.html").read_text() for name in ("client", "receipts", "errors")
    )
    for name in set(signoff.__all__) - {"__version__"}:
        assert re.search(rf'id="signoff\.[\w.]*\b{name}"', text), name
    assert 'id="signoff.client.testing.Approvals.edit"' in (site / "reference" / "testing.html").read_text()
