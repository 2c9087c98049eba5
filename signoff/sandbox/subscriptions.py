"""The events that an app can subscribe to here, and the bot scope that each needs."""

from __future__ import annotations

from typing import Final

SCOPES: Final = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "channel_archive": "channels:read",
    "channel_created": "channels:read",
    "channel_rename": "channels:read",
    "channel_unarchive": "channels:read",
    "group_archive": "groups:read",
    "group_rename": "groups:read",
    "group_unarchive": "groups:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "subteam_created": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "team_join": "users:read",
    "tokens_revoked": "",
    "user_change": "users:read",
}
"""By the name that a manifest's `bot_events` has. Slack sends an event only where its scope was granted."""
DEFAULT: Final = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "subteam_members_changed",
    "tokens_revoked",
    "user_change",
)
"""What the app of a fresh stand-in subscribes to. `POST /sandbox/team {"events": […]}` sets another list."""
