"""The team: its people, channels and user groups; what a fresh stand-in begins with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

TEAM_ID: Final = "T0SIGNOFF1"
TEAM_NAME: Final = "Signoff Sandbox"
TEAM_DOMAIN: Final = "signoff-sandbox"
OTHER_TEAM_ID: Final = "T0PARTNER1"
ENTERPRISE_NAME: Final = "Signoff Grid"
BOT_USER_ID: Final = "U0APPROVBT"
BOT_ID: Final = "B0APPROVBT"
APP_ID: Final = "A0APPROVAL"
_OFFSETS: Final = {
    "Europe/Berlin": ("Central European Time", 3600),
    "Europe/London": ("Greenwich Mean Time", 0),
    "America/New_York": ("Eastern Standard Time", -18000),
}


@dataclass(slots=True)
class User:
    """A person or a bot. The flags are named as in Slack's user object."""

    id: str
    name: str
    real_name: str = ""
    team_id: str = TEAM_ID
    tz: str = "Europe/Berlin"
    deleted: bool = False
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    title: str = ""
    enterprise_id: str = ""
    teams: list[str] = field(default_factory=list)
    """On an Enterprise Grid: the organisation, and the workspaces of it that they are in."""

    @property
    def is_external(self) -> bool:
        """A member of another organisation; on an Enterprise Grid other workspaces are of the same one."""
        return self.team_id != TEAM_ID and not self.enterprise_id

    def as_json(self) -> dict[str, Any]:
        """Slack's user object. A deleted user has no roles and no time zone in it, as in Slack's."""
        real_name = self.real_name or self.name.capitalize()
        profile = {
            "real_name": real_name,
            "display_name": self.name,
            "team": self.team_id,
            "title": self.title,
        }
        user: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "real_name": real_name,
            "profile": profile,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_700_000_000,
        }
        if self.enterprise_id:
            user["enterprise_user"] = {
                "id": self.id,
                "enterprise_id": self.enterprise_id,
                "enterprise_name": ENTERPRISE_NAME,
                "is_admin": False,
                "is_owner": False,
                "teams": list(self.teams),
            }
        if self.is_external:
            user["is_stranger"] = self.is_stranger
        if not self.deleted:
            label, offset = _OFFSETS.get(self.tz, (self.tz, 0))
            user |= {"tz": self.tz, "tz_label": label, "tz_offset": offset}
            user |= {"is_admin": self.is_admin, "is_owner": self.is_owner, "is_primary_owner": self.is_owner}
            user |= {"is_restricted": self.is_restricted, "is_ultra_restricted": self.is_ultra_restricted}
        return user


@dataclass(slots=True)
class Channel:
    """A public or private channel, or a direct message (`user` is then the other side)."""

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    user: str = ""

    @property
    def bot_is_member(self) -> bool:
        """Whether the app's bot is in it."""
        return BOT_USER_ID in self.members

    @property
    def payload_name(self) -> str:
        """The name as interaction payloads give it: Slack hides those of private channels and DMs."""
        return "directmessage" if self.user else "privategroup" if self.is_private else self.name

    @property
    def message_type(self) -> str:
        """`channel_type` in a message's event."""
        return "im" if self.user else "group" if self.is_private else "channel"

    @property
    def message_event(self) -> str:
        """What an app subscribes to for the messages in it."""
        return "message.im" if self.user else "message.groups" if self.is_private else "message.channels"

    def as_json(self) -> dict[str, Any]:
        """Slack's conversation object."""
        if self.user:
            return {
                "id": self.id,
                "is_im": True,
                "user": self.user,
                "is_archived": False,
                "is_org_shared": False,
            }
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_general": self.name == "general",
            "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_org_shared": False,
            "is_member": self.bot_is_member,
            "num_members": len(self.members),
            "context_team_id": TEAM_ID,
            "created": 1_700_000_000,
            "creator": "U0OMAR0001",
        }


@dataclass(slots=True)
class UserGroup:
    """A user group: `handle` is its @name."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False

    def as_json(self, *, with_users: bool = True) -> dict[str, Any]:
        """Slack's user group object."""
        group: dict[str, Any] = {
            "id": self.id,
            "team_id": TEAM_ID,
            "is_usergroup": True,
            "name": self.name,
            "handle": self.handle,
            "date_delete": 1_700_000_000 if self.disabled else 0,
            "user_count": len(self.users),
        }
        return group | {"users": list(self.users)} if with_users else group


@dataclass(slots=True)
class Team:
    """All of it, by id."""

    users: dict[str, User]
    channels: dict[str, Channel]
    usergroups: dict[str, UserGroup]

    @property
    def enterprise_id(self) -> str:
        """The organisation on an Enterprise Grid that this workspace is of; empty where it is of none."""
        return self.users[BOT_USER_ID].enterprise_id

    def join(self, enterprise_id: str) -> None:
        """Make the workspace, and all its people, part of an Enterprise Grid; empty takes them out."""
        for user in self.users.values():
            if user.team_id == TEAM_ID:
                user.enterprise_id, user.teams = enterprise_id, [TEAM_ID] if enterprise_id else []

    def channel(self, name_or_id: str) -> Channel | None:
        """A channel by its id, or by its name with or without `#`."""
        found = self.channels.get(name_or_id)
        bare = name_or_id.removeprefix("#")
        return found or next((c for c in self.channels.values() if c.name == bare and not c.user), None)

    def direct_message(self, user: str) -> Channel:
        """The app's direct message with a person, opened where there is none yet."""
        id_ = f"D{user[1:]}"
        if id_ not in self.channels:
            self.channels[id_] = Channel(id_, "", [user, BOT_USER_ID], is_private=True, user=user)
        return self.channels[id_]

    def can_see(self, user: User, channel: Channel) -> bool:
        """Members see their channels; everybody of the team but guests sees the public ones."""
        guest = user.is_restricted or user.is_ultra_restricted
        open_ = not channel.is_private and not guest and not user.is_external
        return user.id in channel.members or open_


def default_team() -> Team:
    """The team of a fresh stand-in."""
    users = [
        User("U0ANA00001", "ana", "Ana Alvarez", title="Approver"),
        User("U0BEN00001", "ben", "Ben Becker", tz="Europe/London", title="Approver"),
        User("U0MIA00001", "mia", "Mia Meyer"),
        User("U0GUS00001", "gus", "Gus Guest", is_restricted=True),
        User("U0SAM00001", "sam", "Sam Single", is_restricted=True, is_ultra_restricted=True),
        User("U0ROB00001", "rob", "Rob Bot", is_bot=True),
        User("U0DEE00001", "dee", "Dee Gone", deleted=True),
        User("U0EVE00001", "eve", "Eve External", team_id=OTHER_TEAM_ID, tz="America/New_York"),
        User("U0OMAR0001", "omar", "Omar Owner", is_admin=True, is_owner=True),
        User(BOT_USER_ID, "signoff", "Signoff", is_bot=True),  # as the manifest names it
    ]
    ids = {user.name: user.id for user in users}

    def people(*names: str) -> list[str]:
        return [ids[name] for name in names]

    everybody = people("ana", "ben", "mia", "gus", "omar", "signoff")
    channels = [
        # Shared, so that somebody of another organisation can press what stands in it.
        Channel("C0APPROVE1", "agent-approvals", [*everybody, ids["sam"], ids["eve"]], is_ext_shared=True),
        Channel("C0RANDOM01", "random", list(everybody)),
        Channel("C0GENERAL1", "general", people("ana", "ben", "mia", "omar")),
        Channel("C0OLD00001", "old", people("ana", "ben", "signoff"), is_archived=True),
        Channel("C0PRIVATE1", "finance-private", people("ana", "ben", "signoff"), is_private=True),
        Channel("C0SHARED01", "shared-partner", [*everybody, ids["eve"]], is_ext_shared=True),
    ]
    groups = [
        UserGroup("S0FINANCE1", "finance", "Finance", people("ana", "ben")),
        UserGroup("S0EMPTY001", "empty", "Nobody yet"),
        UserGroup("S0CLOSED01", "closed", "No longer used", people("mia"), disabled=True),
    ]
    return Team({u.id: u for u in users}, {c.id: c for c in channels}, {g.id: g for g in groups})
