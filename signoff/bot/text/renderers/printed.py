"""A plan as Terraform and OpenTofu print it → its changes; pure and linear.

A change stands there twice: as a sentence, `# aws_instance.web will be destroyed`, and as a block after it,
`- resource "aws_instance" "web" {`. Either counts, so that none is missed where the other was cut.
"""

from __future__ import annotations

import re
from collections import Counter

from signoff.bot.text.renderers.changes import Change, Plan
from signoff.bot.text.words import summaries as words

LONGEST = 2000
"""Characters of a line that may be a sentence about a resource."""
_COLOURS = re.compile("\x1b\\[[0-9;]*+m")
_WHAT = {
    "will be destroyed": "delete",
    "must be replaced": "replace",
    "is tainted, so must be replaced": "replace",
    "will be replaced": "replace",
    "will be created": "create",
    "will be updated in-place": "update",
    "will be read during apply": "read",
    "will be imported": "import",
    "has moved to": "move",
    "will no longer be managed by": "forget",
}
_SENTENCE = re.compile(
    rf"[ \t]*+# (?P<name>.+) (?P<what>{'|'.join(map(re.escape, _WHAT))})(?P<rest>(?:,| )[^\n]*+|)\Z"
)
_DEPOSED = re.compile(r" \(deposed object [^()]*+\)\Z")
_BLOCK = re.compile(
    r"[ \t]*+(?P<symbol>-/\+|\+/-|-|\+|~|\.) resource \"(?P<type>[^\"]*+)\" \"(?P<name>[^\"]*+)\""
)
_SYMBOLS = {"-": "delete", "-/+": "replace", "+/-": "replace", "+": "create", "~": "update", ".": "forget"}
_FIGURES = re.compile(
    r"^Plan: (?:(?P<import>\d{1,9}) to import, )?+(?P<create>\d{1,9}) to add, (?P<update>\d{1,9}) to change, "
    r"(?P<delete>\d{1,9}) to destroy",
    re.MULTILINE,
)


def printed(text: str) -> Plan | None:
    """A printed plan; None where the text is none."""
    if (
        " to destroy" not in text
        and "will perform" not in text
        and not ("# " in text and " resource " in text)
    ):
        return None
    text = _COLOURS.sub("", text)
    changes = list[Change]()
    last: Change | None = None
    for line in text.split("\n"):
        line = line.rstrip("\r")
        if found := _sentence(line):
            last = _told(found)
            changes.append(last)
        elif block := _BLOCK.match(line):
            name = f"{block['type']}.{block['name']}"
            kind = _SYMBOLS[block["symbol"]]
            if (
                last is None
                or not _is_of(last, name)
                or (kind != last.kind and kind in ("delete", "replace"))
            ):
                changes.append(Change(kind, name))
            last = None
    return Plan(changes, odd=_differs(text, changes)) if changes else None


def _sentence(line: str) -> re.Match[str] | None:
    return _SENTENCE.match(line) if len(line) <= LONGEST and "# " in line else None


def _told(found: re.Match[str]) -> Change:
    kind, name = _WHAT[found["what"]], found["name"]
    if kind == "move":
        return Change(kind, name, becomes=found["rest"].strip())
    deposed = _DEPOSED.search(name)
    return Change(kind, name, words.DEPOSED if deposed else "")


def _is_of(change: Change, name: str) -> bool:
    """Whether a block is of the resource that the sentence before it names."""
    for told in (change.name, change.becomes):
        told = f".{_DEPOSED.sub('', told)}"
        if told.endswith(f".{name}") or f".{name}[" in told:
            return True
    return False


def _differs(text: str, changes: list[Change]) -> str:
    """The plan's own last line, where it has other figures than what it lists."""
    lines = list(_FIGURES.finditer(text))
    if not lines:
        return ""
    counts = Counter(change.kind for change in changes)
    ours = {
        "create": counts["create"] + counts["replace"],
        "update": counts["update"],
        "delete": counts["delete"] + counts["replace"],
    }
    said = {name: int(lines[-1][name]) for name in ours}
    return f"{words.SAYS_OTHERWISE} {lines[-1][0]}" if said != ours else ""
