"""`signoff policy classes`: the table of actions, their risk and reversibility."""

from __future__ import annotations

import argparse
import json
from typing import Any


def show(arguments: argparse.Namespace) -> int:
    """The table, as JSON where that is asked for."""
    from signoff.policy import classes

    table: list[dict[str, Any]] = [
        {
            "class": one.name, "what": one.what, "risk": one.risk, "reversibility": one.reversibility,
            "read_only": one.read_only, "tags": list(one.tags), "actions": list(one.globs.patterns),
            "words": list(one.words),
        }
        for one in classes.TABLE
    ]  # fmt: skip
    if arguments.json:
        print(json.dumps({"name": classes.NAME, "version": classes.VERSION, "classes": table}))
        return 0
    print(
        f"{classes.NAME}, version {classes.VERSION}. An action in no class is high risk and irreversible.\n"
    )
    for one in table:
        also = [*(["only reads"] if one["read_only"] else []), *(f"tag {tag}" for tag in one["tags"])]
        print(f"@{one['class']}: {one['what']}")
        print(f"  {one['risk']} risk, {one['reversibility']}{''.join(f', {word}' for word in also)}")
        if one["words"]:
            print("  a name that says that it reads, and what, in one of these words:")
        print(_wrapped(one["actions"] or one["words"]) + "\n")
    return 0


def _wrapped(names: list[str]) -> str:
    import textwrap

    return textwrap.fill(
        "  ".join(names), 80, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
