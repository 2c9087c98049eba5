"""Users and user groups, from Slack; remembered for at most 60 s."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from signoff.approvals.errors import GroupsUnread, NotAllowed
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused
from signoff.models.people import Person

UNREAD = {
    "plan_upgrade_required": "this workspace's plan of Slack has no user groups",
    "missing_scope": "the app lacks the scope usergroups:read",
    "not_allowed_token_type": "Slack does not let this token read user groups",
    "access_denied": "Slack does not let this app read user groups",
}
"""Slack's refusals to say who is in any user group, and why that is."""
REMEMBERED_SECONDS = 60.0
"""So long a person who was removed can still decide (design: Trust)."""
T = TypeVar("T")


class SlackDirectory:
    """Who somebody is, by Slack. Raises SlackUnavailable when it cannot tell: nobody may decide then."""

    def __init__(self, slack: Slack, remembered_seconds: float = REMEMBERED_SECONDS) -> None:
        self._slack = slack
        self._seconds = remembered_seconds
        self._known: dict[Hashable, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        self._forgotten = 0
        self._home: tuple[str, str] | None = None

    def home(self) -> tuple[str, str]:
        """This workspace's (team id, enterprise id)."""
        if self._home is None:
            answer = self._slack.call("auth.test")
            self._home = (str(answer.get("team_id") or ""), str(answer.get("enterprise_id") or ""))
        return self._home

    def knows(self, user_id: str) -> bool:
        """Whether `person` answers without asking Slack."""
        return self._home is not None and self._fresh(user_id) is not None

    def person(self, user_id: str) -> Person:
        """One user as they are now; raises NotAllowed when there is no such user."""
        return self._ask(user_id, lambda: self._fetch_person(user_id))

    def group(self, group_id: str) -> frozenset[str]:
        """The members of a user group; none when it is disabled or unknown.

        Raises GroupsUnread where Slack will not say, which is remembered like an answer.
        """
        found = self._ask(group_id, lambda: self._fetch_group(group_id))
        if isinstance(found, str):
            raise GroupsUnread((group_id,), found)
        return found

    def forget(self, id_: str) -> None:
        """This person or user group has changed: ask Slack again. What it is asked just now is not kept."""
        with self._lock:
            self._known.pop(id_, None)
            self._forgotten += 1

    def _fresh(self, key: Hashable) -> Any:
        found = self._known.get(key)
        return found[1] if found and time.monotonic() - found[0] < self._seconds else None

    def _ask(self, key: Hashable, fetch: Callable[[], T]) -> T:
        found: T | None = self._fresh(key)
        if found is None:
            asked, forgotten = time.monotonic(), self._forgotten  # an answer is as old as its question
            found = fetch()
            with self._lock:
                if forgotten == self._forgotten:
                    self._known[key] = (asked, found)
                if len(self._known) > 10_000:
                    self._known = {k: v for k, v in self._known.items() if asked - v[0] < self._seconds}
        return found

    def _fetch_person(self, user_id: str) -> Person:
        try:
            user = self._slack.call("users.info", user=user_id)["user"]
        except SlackRefused as error:
            if error.code in ("user_not_found", "user_not_visible"):
                raise NotAllowed("Only members of this workspace can decide.") from None
            raise
        profile, grid = user.get("profile") or {}, user.get("enterprise_user") or {}
        return Person(
            id=str(user["id"]),
            name=str(profile.get("display_name") or user.get("real_name") or user.get("name") or user["id"]),
            team_id=str(user.get("team_id") or ""),
            enterprise_id=str(grid.get("enterprise_id") or ""),
            teams=tuple(str(team) for team in grid.get("teams") or ()),
            bot=bool(user.get("is_bot") or user.get("is_workflow_bot")),
            deleted=bool(user.get("deleted")),
            guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted")),
            stranger=bool(user.get("is_stranger")),
            tz=str(user.get("tz") or "UTC"),
            status=" ".join(str(profile.get("status_text") or "").split())[:100],
        )

    def _fetch_group(self, group_id: str) -> frozenset[str] | str:
        """Its members, or why Slack will not say."""
        team_id = self.home()[0]
        try:
            answer = self._slack.call("usergroups.users.list", usergroup=group_id, team_id=team_id)
        except SlackRefused as error:
            if error.code in ("no_such_subteam", "subteam_not_found"):
                return frozenset()
            if error.code in UNREAD:
                return UNREAD[error.code]
            raise
        return frozenset(str(user) for user in answer.get("users") or ())
