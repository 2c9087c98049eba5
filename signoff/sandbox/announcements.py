"""What Slack tells an app when the team changes: people, channels, user groups, and the app itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from signoff.sandbox.team import BOT_USER_ID, TEAM_ID, Channel, Team, UserGroup

JSON = dict[str, Any]
_BY: Final = "U0OMAR0001"
"""Who changed it: the workspace's owner."""
_BEFORE: Final = 1_700_000_000


def of_team(before: Team, after: Team) -> Iterator[JSON]:
    """An event for each difference, in Slack's words and without `event_ts`."""
    for user in after.users.values():
        old = before.users.get(user.id)
        if old is None:
            yield {"type": "team_join", "user": user.as_json()}
        elif old != user:
            yield {"type": "user_change", "user": user.as_json(), "cache_ts": int(time.time())}
    for channel in after.channels.values():
        yield from _of_channel(before.channels.get(channel.id), channel)
    for group in after.usergroups.values():
        yield from _of_group(before.usergroups.get(group.id), group)


def of_app(*, uninstalled: bool) -> Iterator[JSON]:
    """The bot's token was revoked, or the whole app uninstalled, which revokes it too."""
    if uninstalled:
        yield {"type": "app_uninstalled"}
    yield {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER_ID]}}


def _of_channel(old: Channel | None, new: Channel) -> Iterator[JSON]:
    if new.user or (new.is_private and not new.bot_is_member):
        return  # the app does not learn of private channels without it
    kind = "group" if new.is_private else "channel"
    if old is None:
        if kind == "channel":
            yield {"type": "channel_created", "channel": new.as_json()}
        return
    if old.name != new.name:
        yield {"type": f"{kind}_rename", "channel": _renamed(new)}
    if old.is_archived != new.is_archived:
        change = "archive" if new.is_archived else "unarchive"
        yield {"type": f"{kind}_{change}", "channel": new.id, "user": _BY}


def _renamed(channel: Channel) -> JSON:
    whole = channel.as_json()
    return {name: whole[name] for name in ("id", "name", "name_normalized", "created", "is_channel")}


def _of_group(old: UserGroup | None, new: UserGroup) -> Iterator[JSON]:
    if old == new:
        return
    subteam = new.as_json() | {"is_subteam": True, "date_create": _BEFORE, "date_update": int(time.time())}
    if old is None:
        yield {"type": "subteam_created", "subteam": subteam}
        return
    yield {"type": "subteam_updated", "subteam": subteam}
    added = [user for user in new.users if user not in old.users]
    removed = [user for user in old.users if user not in new.users]
    if added or removed:
        yield {
            "type": "subteam_members_changed",
            "subteam_id": new.id,
            "team_id": TEAM_ID,
            "date_previous_update": _BEFORE,
            "date_update": int(time.time()),
            "added_users": added,
            "added_users_count": len(added),
            "removed_users": removed,
            "removed_users_count": len(removed),
        }
