"""What the site is built of: the pages of docs/, and whatever else of the repository they lead to.

    python docs/site.py && zensical build --strict --config-file build/site/mkdocs.yml

In the repository a page may link to README or to a file of code. On the site each such file is a page of its
own, so that every link leads somewhere and nothing has to be fetched. Pages that mkdocs.yml's navigation does
not name are put at its end, under *More*.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BUILT = ROOT / "build" / "site"
LINK = re.compile(r"(\]\()(?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?(\))")
FENCE = re.compile(r"(^```.*?^```)", re.M | re.S)
LANGUAGES = {".py": "python", ".yml": "yaml", ".toml": "toml", ".sh": "sh", ".json": "json"}


def place(file: Path) -> str:
    """Where a file of the repository stands on the site: a path below its root."""
    if file.is_relative_to(DOCS) and file.is_file() and file.suffix != ".py":
        name = file.relative_to(DOCS).as_posix()
        return f"{name.removesuffix('README.md')}index.md" if file.name == "README.md" else name
    name = file.relative_to(ROOT).as_posix()
    return f"source/{name}" if name.endswith(".md") else f"source/{name}.md"


def page(file: Path) -> str:
    """A file of the repository, or a folder's, as a page."""
    if file.suffix == ".md":
        return file.read_text(encoding="utf-8")
    files = [file] if file.is_file() else sorted(one for one in file.rglob("*.*") if one.suffix in LANGUAGES)
    lines = [f"# {file.relative_to(ROOT)}", ""]
    for one in files:
        if one != file:
            lines += [f"## {one.relative_to(file)}", ""]
        text = one.read_text(encoding="utf-8").rstrip()
        lines += [f"````{LANGUAGES.get(one.suffix, 'text')}", text, "````", ""]
    return "\n".join(lines)


def linked(text: str, file: Path, seen: list[Path]) -> str:
    """A page whose links lead to places on the site; what they lead to is added to `seen`.

    Raises FileNotFoundError for a link to nothing.
    """
    here = Path(place(file)).parent

    def moved(found: re.Match[str]) -> str:
        target = Path(os.path.normpath(file.parent / found[2]))
        if not target.exists():
            raise FileNotFoundError(f"{file.relative_to(ROOT)} leads to {found[2]}, which is not there")
        seen.append(target)
        return f"{found[1]}{Path(os.path.relpath(place(target), here)).as_posix()}{found[3] or ''}{found[4]}"

    parts = FENCE.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(moved, part) for part in parts)


def stage(built: Path = BUILT) -> list[str]:
    """Write what a site is built of below `built`; gives the pages' places."""
    shutil.rmtree(built, ignore_errors=True)
    left = sorted(file for file in DOCS.rglob("*.md"))
    done: dict[Path, str] = {}
    while left:
        file = left.pop()
        if file in done:
            continue
        target = built / "docs" / place(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        done[file] = place(file)
        if target.suffix == ".md":
            target.write_text(linked(page(file), file, left), encoding="utf-8")
        else:
            shutil.copy(file, target)
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w/.-]+\.md", config))
    more = sorted(name for name in done.values() if name.endswith(".md") and name not in named)
    more = [name for name in more if not name.startswith(("source/", "decisions/"))]
    text = config + "".join(["  - More:\n", *(f"      - {name}\n" for name in more)] if more else [])
    (built / "mkdocs.yml").write_text(text, encoding="utf-8")
    return sorted(done.values())


if __name__ == "__main__":
    stage()
