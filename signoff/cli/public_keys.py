"""The public keys that a server's machine knows: its own, those that agents are given, and those named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signoff.server.settings import Settings
    from signoff.signatures import VerifyKeys


def key_texts(settings: Settings, more: str | None = None) -> list[str]:
    """Each as it is written, the server's own first; `more` names keys, or a file of them."""
    texts = [os.environ.get("SIGNOFF_VERIFY_KEY", "")]
    if settings.signing_key or settings.key_file.exists():
        texts.insert(0, settings.signer().verify_key)
    if more:
        texts.append(more if more.startswith("ed25519:") else Path(more).read_text(encoding="utf-8"))
    return list(dict.fromkeys(" ".join(texts).replace(",", " ").split()))


def known_keys(settings: Settings, more: str | None = None) -> VerifyKeys:
    """The same to verify with; empty where none is known. Raises ConfigError for one that is none."""
    from signoff.signatures import verify_keys

    texts = key_texts(settings, more)
    return verify_keys(" ".join(texts)) if texts else {}
