"""Payloads as Slack sends them, with the fields that Slack documents.

A message in a payload has no metadata: an app that needs it has to keep its own record.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from signoff.sandbox.team import (
    APP_ID,
    BOT_USER_ID,
    ENTERPRISE_NAME,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    User,
)
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_UNSENT: Final = ("metadata", "ephemeral_to")


@dataclass(frozen=True, slots=True)
class Payloads:
    """Builds payloads; every one has a trigger or an event id of its own."""

    workspace: Workspace
    verification_token: str = "sandbox-verification-token"

    def _interaction(self, kind: str, user: User, view_id: str | None = None) -> JSON:
        who = {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}
        return {
            "type": kind,
            "user": who,
            "api_app_id": APP_ID,
            "token": self.verification_token,
            "trigger_id": self.workspace.new_trigger(user.id, view_id),
            "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
            "enterprise": self._enterprise,
            "is_enterprise_install": False,
        }

    @property
    def _enterprise(self) -> JSON | None:
        id_ = self.workspace.team.enterprise_id
        return {"id": id_, "name": ENTERPRISE_NAME} if id_ else None

    def message_action(self, user: User, channel: Channel, message: JSON, action: JSON, values: JSON) -> JSON:
        """block_actions on a message. An ephemeral message itself is not in it: Slack does not keep those."""
        payload = self._interaction("block_actions", user) | {"container": _container(channel, message)}
        payload["channel"] = {"id": channel.id, "name": channel.payload_name}
        if "ephemeral_to" not in message:
            payload["message"] = _sent(message)
        payload["state"] = {"values": values}
        payload["response_url"] = self.workspace.new_response_url(channel.id, user.id, message["ts"])
        payload["actions"] = [action]
        return payload

    def view_action(self, user: User, view: JSON, action: JSON) -> JSON:
        """block_actions in a modal or on a Home."""
        payload = self._interaction("block_actions", user, view["id"])
        payload |= {"container": {"type": "view", "view_id": view["id"]}, "view": view, "actions": [action]}
        return payload

    def view_submission(self, user: User, view: JSON) -> JSON:
        """A modal is submitted; `view` holds what was typed."""
        urls = [
            self._response_url(user, block, state)
            for block in view["blocks"]
            if block["type"] == "input" and block["element"].get("response_url_enabled")
            for state in view["state"]["values"][block["block_id"]].values()
        ]
        payload = self._interaction("view_submission", user, view["id"]) | {"view": view}
        return payload | {"response_urls": [url for url in urls if url]}

    def _response_url(self, user: User, block: JSON, state: JSON) -> JSON | None:
        """Where the app may answer a form: the channel that was chosen in a select which asks for it."""
        chosen = state.get("selected_conversation") or state.get("selected_channel")
        if chosen not in self.workspace.team.channels:
            return None
        place = {"block_id": block["block_id"], "action_id": block["element"]["action_id"]}
        url = self.workspace.new_response_url(chosen, user.id)
        return place | {"channel_id": chosen, "response_url": url}

    def view_closed(self, user: User, view: JSON, *, is_cleared: bool) -> JSON:
        """A modal is closed. It carries no trigger, and nothing of what was typed."""
        bare = {**view, "state": {"values": {}}}
        payload = self._interaction("view_closed", user) | {"view": bare, "is_cleared": is_cleared}
        del payload["trigger_id"]
        return payload

    def command(self, user: User, channel: Channel, command: str, text: str) -> JSON:
        """A slash command. Everything in it is text, since Slack sends these as forms."""
        return {
            "token": self.verification_token,
            "team_id": TEAM_ID,
            "team_domain": TEAM_DOMAIN,
            "channel_id": channel.id,
            "channel_name": channel.payload_name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": self.workspace.new_response_url(channel.id, user.id),
            "trigger_id": self.workspace.new_trigger(user.id),
        }

    def shortcut(self, user: User, callback_id: str) -> JSON:
        """A global shortcut: it knows no channel, and so has no response_url. Its user has no `name`."""
        payload = self._interaction("shortcut", user)
        del payload["api_app_id"], payload["user"]["name"]
        return payload | {"callback_id": callback_id, "action_ts": self.workspace.next_ts()}

    def message_shortcut(self, user: User, channel: Channel, message: JSON, callback_id: str) -> JSON:
        """A message shortcut, with the message. Its user has no `username`."""
        payload = self.shortcut(user, callback_id) | {"type": "message_action", "message_ts": message["ts"]}
        payload["user"] = {"id": user.id, "name": user.name, "team_id": user.team_id}
        payload |= {"channel": {"id": channel.id, "name": channel.payload_name}, "message": _sent(message)}
        return payload | {"response_url": self.workspace.new_response_url(channel.id, user.id)}

    def message_suggestion(
        self, user: User, channel: Channel, message: JSON, block: JSON, element: JSON, value: str
    ) -> JSON:
        """block_suggestion: what was typed into an external select on a message."""
        payload = self._suggestion(user, block, element, value) | {"container": _container(channel, message)}
        payload["channel"] = {"id": channel.id, "name": channel.payload_name}
        return payload if "ephemeral_to" in message else payload | {"message": _sent(message)}

    def view_suggestion(self, user: User, view: JSON, block: JSON, element: JSON, value: str) -> JSON:
        """block_suggestion in a modal or on a Home."""
        payload = self._suggestion(user, block, element, value)
        return payload | {"container": {"type": "view", "view_id": view["id"]}, "view": view}

    def _suggestion(self, user: User, block: JSON, element: JSON, value: str) -> JSON:
        payload = self._interaction("block_suggestion", user)
        del payload["trigger_id"]
        return payload | {"action_id": element["action_id"], "block_id": block["block_id"], "value": value}

    def event(self, event: JSON, *, is_ext_shared: bool = False) -> JSON:
        """The envelope's payload around an event; `event_ts` is added where it is missing."""
        enterprise_id = self.workspace.team.enterprise_id or None
        bot = {"enterprise_id": enterprise_id, "team_id": TEAM_ID, "user_id": BOT_USER_ID, "is_bot": True}
        return {
            "token": self.verification_token,
            "team_id": TEAM_ID,
            "context_team_id": TEAM_ID,
            "context_enterprise_id": enterprise_id,
            "api_app_id": APP_ID,
            "event": {"event_ts": self.workspace.next_ts()} | event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(time.time()),
            "authorizations": [{**bot, "is_enterprise_install": False}],
            "is_ext_shared_channel": is_ext_shared,
            "event_context": f"4-{secrets.token_hex(16)}",
        }

    def home_opened(self, user: User, tab: str = "home") -> JSON:
        """The event app_home_opened, with the Home as it stands where that is opened and there is one."""
        channel = self.workspace.team.direct_message(user.id)
        event: JSON = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": tab}
        home = self.workspace.views.homes.get(user.id)
        return event | {"view": home} if home is not None and tab == "home" else event


def _container(channel: Channel, message: JSON) -> JSON:
    container: JSON = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id}
    container["is_ephemeral"] = "ephemeral_to" in message
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    return container


def _sent(message: JSON) -> JSON:
    return {name: value for name, value in message.items() if name not in _UNSENT}
