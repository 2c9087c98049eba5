"""The code of docs/adapters/recipes.md, a framework's as it stands under its heading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "adapters" / "recipes.md"


def recipe(heading: str) -> dict[str, Any]:
    """The names that a framework's code defines, after the page's first block."""
    first, *sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    section = next(section for section in sections if section.startswith(f"{heading}\n"))
    names: dict[str, Any] = {"__name__": "recipe"}
    for block in re.findall(r"^```python\n(.*?)^```", first + "\n" + section, re.M | re.S):
        exec(compile(block, PAGE.name, "exec", dont_inherit=True), names)
    return names
