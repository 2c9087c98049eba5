"""Writes signoff/bot/text/confusables.py: letters and digits that look like ASCII's.

    pip install confusable-homoglyphs && python docs/confusables.py && ruff format signoff

The package holds Unicode's confusables.txt (UTS 39) as JSON. It is wanted here only: the server needs some
four hundred characters of it, not 900 KB read at every start.
"""

from __future__ import annotations

import json
import string
import unicodedata
from importlib.resources import files
from pathlib import Path

HEAD = '''"""Letters and digits that look like one of ASCII's, by that one; written by docs/confusables.py.

From Unicode's confusables.txt (UTS 39): © Unicode, Inc., https://www.unicode.org/copyright.html. Left out
is what Unicode's compatibility forms (NFKC) lead to by themselves, such as mathematical and full-width
letters.
"""

LOOKALIKES = {
'''


def main() -> None:
    """Takes the package's pairs that have a single ASCII letter or digit on one side."""
    known = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8"))
    wanted = string.ascii_letters + string.digits
    found: dict[str, set[str]] = {char: set() for char in wanted}
    for char, others in known.items():
        for other in (one["c"] for one in others):
            for ours, theirs in ((char, other), (other, char)):
                if ours in found and len(theirs) == 1 and not theirs.isascii():
                    found[ours].add(theirs)
    lines = []
    for ours, theirs in found.items():
        kept = sorted(one for one in theirs if unicodedata.normalize("NFKC", one) == one and one.isalnum())
        if kept:
            escaped = [f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}" for one in kept]
            rows = ["".join(escaped[at : at + 12]) for at in range(0, len(escaped), 12)]
            lines.append(f'    "{ours}": ' + "\n    ".join(f'"{row}"' for row in rows) + ",\n")
    text = HEAD + "".join(lines) + "}\n"
    Path("signoff/bot/text/confusables.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
