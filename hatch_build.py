"""What a distribution says that the repository cannot know: where it was released from.

SIGNOFF_REPOSITORY names the repository's page (https://…/owner/name) while it is built; the release workflow
sets it. Then the package's links lead there, and README's pictures and links, which are relative in the
repository, are absolute and of this version. Without it nothing is added, and README stays as it is.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[((?:!\[[^\]]*\]\([^)]*\)|[^\]])*)\]\((?!https?:|#|mailto:)([^)\s]+)\)")


class Released(MetadataHookInterface):
    """Gives `readme` and `urls`."""

    def update(self, metadata: dict[str, Any]) -> None:
        home = os.environ.get("SIGNOFF_REPOSITORY", "").rstrip("/")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["urls"] = {}
        if home:
            tag = f"v{metadata['version']}"
            text = absolute(text, f"{home}/blob/{tag}/", f"{home}/raw/{tag}/")
            metadata["urls"] = {
                "Documentation": f"{home}/tree/{tag}/docs",
                "Source": home,
                "Changelog": f"{home}/blob/{tag}/CHANGELOG.md",
                "Issues": f"{home}/issues",
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(text: str, files: str, pictures: str) -> str:
    """Markdown whose relative links lead to `files`, and its pictures to `pictures`: both end in a slash."""
    return _LINK.sub(
        lambda found: f"{found[1]}[{found[2]}]({pictures if found[1] else files}{found[3]})", text
    )
