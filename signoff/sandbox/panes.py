"""Panes: lines that programs show beside the page, such as what an agent sees.

`POST /sandbox/pane {"name", "line"}` appends a line to the pane of that name, which it opens; `GET
/sandbox/pane` lists them all: `panes`, in the order in which they were opened, each with `name` and `lines`
(`at`, Unix seconds, and `line`). The oldest lines go first, and so do the oldest panes.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, Final

from signoff.sandbox import act
from signoff.sandbox.feed import Feed

JSON = dict[str, Any]
PANES: Final = 20
LINES: Final = 300
NAME: Final = 80
LINE: Final = 2_000
"""Characters of a name and of a line; what is longer is cut."""


@dataclass(slots=True)
class Panes:
    """All of them, by name."""

    feed: Feed
    _panes: OrderedDict[str, deque[JSON]] = field(default_factory=OrderedDict)

    async def append(self, fields: JSON) -> JSON:
        """POST pane. Raises ActError."""
        name, line = act.string(fields, "name")[:NAME], act.text(fields, "line")
        added = {"at": time.time(), "line": line if len(line) <= LINE else f"{line[:LINE]}…"}
        self._panes.setdefault(name, deque(maxlen=LINES)).append(added)
        if len(self._panes) > PANES:
            self._panes.popitem(last=False)
        self.feed.tell("pane", {"name": name, **added})
        return {"ok": True}

    async def listed(self, fields: JSON) -> JSON:
        """GET pane."""
        return {"ok": True, "panes": [{"name": n, "lines": list(lines)} for n, lines in self._panes.items()]}

    def clear(self) -> None:
        """Close all of them."""
        self._panes.clear()
