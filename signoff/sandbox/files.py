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

SHOWN: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}


@dataclass(slots=True)
class File:
    """One file. `content` is None until it is uploaded, and once it is deleted.

    `completed` says that it can be seen, `deleted` that it could be.
    """

    id: str
    name: str
    length: int
    alt_txt: str = ""
    title: str = ""
    content: bytes | None = None
    completed: bool = False
    deleted: bool = False
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    """The end of its upload URL."""

    @property
    def mimetype(self) -> str:
        """What a browser may show, told by the first bytes; all else is for no browser to guess at."""
        head = (self.content or b"")[:12]
        if head[:4] == b"RIFF" and head[8:] == b"WEBP":
            return "image/webp"
        found = (kind for beginning, kind in SHOWN.items() if head.startswith(beginning))
        return next(found, "application/octet-stream")

    def as_json(self, base_url: str) -> dict[str, Any]:
        """Slack's file object. `url_private` needs the bot's token."""
        suffix = self.name.rpartition(".")[2] if "." in self.name else "text"
        shown: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "filetype": suffix,
            "mimetype": self.mimetype,
            "size": self.length,
            "mode": "hosted",
            "user": BOT_USER_ID,
            "url_private": f"{base_url}/files/{self.id}",
        }
        return shown | ({"alt_txt": self.alt_txt} if self.alt_txt else {})
