"""What Slack tells of the team and of the app itself: people and groups that changed, the app uninstalled."""

from __future__ import annotations

import logging
from typing import Any

from signoff.bot.slack.directory import SlackDirectory

log = logging.getLogger("signoff.bot")


class News:
    """Nothing here is needed to be right: what is missed, the directory forgets by itself within 60 s."""

    def __init__(self, directory: SlackDirectory) -> None:
        self._directory = directory

    def person_changed(self, event: dict[str, Any]) -> None:
        """`user_change`: somebody was deactivated, made a guest, renamed."""
        self._directory.forget(str((event.get("user") or {}).get("id") or ""))

    def group_changed(self, event: dict[str, Any]) -> None:
        """`subteam_members_changed`: somebody joined or left a user group."""
        self._directory.forget(str(event.get("subteam_id") or ""))

    def uninstalled(self) -> None:
        """`app_uninstalled`."""
        log.error(
            "the app was uninstalled in Slack: nobody can decide. Install it again, and set the new tokens."
        )

    def revoked(self) -> None:
        """`tokens_revoked`."""
        log.error("Slack revoked the app's tokens: install it again, and set SLACK_BOT_TOKEN to the new one.")
