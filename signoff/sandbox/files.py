"""Files that the app uploads: announced with their length, then uploaded, then completed and shared."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from signoff.sandbox.team import BOT_USER_ID

FILE_BYTES: Final = 4 * 1024 * 1024
"""The largest file here, since all are kept in memory; Slack's own limit is higher."""
SNIPPET_BYTES: Final = 1024 * 1024
"""Slack: a snippet holds 1 MB."""
ALT_TEXT: Final = 1_000
"""Slack: characters of `alt_txt`."""


@dataclass(slots=True)
class File:
    """One file. `content` is None until it is uploaded; `completed` says that it can be seen."""

    id: str
    name: str
    length: int
    alt_txt: str = ""
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    """The end of its upload URL."""

    def as_json(self, base_url: str) -> dict[str, Any]:
        """Slack's file object. `url_private` needs the bot's token."""
        suffix = self.name.rpartition(".")[2] if "." in self.name else "text"
        shown: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "filetype": suffix,
            "size": self.length,
            "mode": "hosted",
            "user": BOT_USER_ID,
            "url_private": f"{base_url}/files/{self.id}",
        }
        return shown | ({"alt_txt": self.alt_txt} if self.alt_txt else {})
