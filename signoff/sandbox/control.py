"""JSON under /sandbox, for programs that drive the stand-in.

- `GET state`: team, bot, users, channels (with members), usergroups, connections
- `GET messages?channel=C…[&thread_ts=…]`, `GET views?user=U…` (`stack`, the top last, and `home`)
- `POST act`: see `acts.py`
- `GET faults`; `POST faults`: see `faults.py`; `{"clear": true}`, `{"rate_limits": true}`,
  `{"redelivery_seconds": [0, 0.1, 0.2]}` (see `events.py`)
- `POST team`: `{"users": {id: {flag: value}}, "channels": {id: {field: value}}, "usergroups": {id: {field:
  value}}, "bot": {"token_error": "token_revoked" | "account_inactive" | "", "scopes": […], "installed":
  bool}, "events": […]}`. The fields are those of `team.py`; a channel also takes `bot_is_member`. What is not
  there yet is created and needs a `name`. `events` are what the app subscribes to (see `subscriptions.py`);
  of a change it is told in the background. Where `installed` is false the app is uninstalled: its bot token
  is dead, and nobody can use it any more
- `GET log`: `entries`, every call and envelope; `POST reset`: as freshly started, tokens and links kept
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from signoff.sandbox import announcements, json_text, world
from signoff.sandbox.acts import Acts
from signoff.sandbox.errors import ActError
from signoff.sandbox.events import REDELIVERY, Events
from signoff.sandbox.faults import Fault, Faults
from signoff.sandbox.journal import Journal
from signoff.sandbox.socket_mode import SocketMode
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


@dataclass(slots=True)
class Control:
    """The endpoints, each of which takes the query or the posted object and gives an object."""

    workspace: Workspace
    socket_mode: SocketMode
    faults: Faults
    journal: Journal
    acts: Acts
    events: Events

    def routes(self) -> list[web.RouteDef]:
        """For the web application."""
        return [
            web.get("/sandbox/state", _handler(self.state)),
            web.get("/sandbox/messages", _handler(self.messages)),
            web.get("/sandbox/views", _handler(self.views)),
            web.get("/sandbox/faults", _handler(self.list_faults)),
            web.get("/sandbox/log", _handler(self.log)),
            web.post("/sandbox/act", _handler(self.acts.do)),
            web.post("/sandbox/faults", _handler(self.add_fault)),
            web.post("/sandbox/team", _handler(self.change_team)),
            web.post("/sandbox/reset", _handler(self.reset)),
        ]

    async def state(self, fields: JSON) -> JSON:
        """GET state."""
        return world.as_json(self.workspace) | {"connections": len(self.socket_mode.links)}

    async def messages(self, fields: JSON) -> JSON:
        """GET messages, oldest first. A user's id stands for the app's direct message with them."""
        wanted, team = fields.get("channel", ""), self.workspace.team
        if wanted in team.users:
            wanted = team.direct_message(wanted).id
        channel = team.channel(wanted)
        if channel is None:
            raise ActError("channel_not_found", 404)
        listed = self.workspace.listed(channel.id, fields.get("thread_ts") or None)
        return {"ok": True, "channel": channel.id, "messages": listed}

    async def views(self, fields: JSON) -> JSON:
        """GET views. A view whose last submission was refused has `errors`."""
        user, views = fields.get("user", ""), self.workspace.views
        if user not in self.workspace.team.users:
            raise ActError("user_not_found", 404)
        stack = [
            view | ({"errors": views.errors[view["id"]]} if view["id"] in views.errors else {})
            for view in views.stacks.get(user, [])
        ]
        return {"ok": True, "stack": stack, "home": views.homes.get(user)}

    async def list_faults(self, fields: JSON) -> JSON:
        """GET faults: what is left of them."""
        pending = [fault.as_json() for fault in self.faults.pending]
        more = {"rate_limits": self.faults.rate_limits, "redelivery_seconds": self.events.redelivery}
        return {"ok": True, "faults": pending, **more}

    async def add_fault(self, fields: JSON) -> JSON:
        """POST faults. A disconnect of the socket happens at once; `reason` may name Slack's reason."""
        if fields.get("clear") is True:
            self.faults.clear()
            self.events.redelivery = REDELIVERY
        if "redelivery_seconds" in fields:
            self.events.shorten(fields["redelivery_seconds"])
        if isinstance(fields.get("rate_limits"), bool):
            self.faults.rate_limits = fields["rate_limits"]
        if "method" in fields or "mode" in fields:
            fault = Fault.parse(fields)
            if fault.closes_sockets:
                await self.socket_mode.disconnect(fields.get("reason", "refresh_requested"))
            else:
                self.faults.pending.append(fault)
        elif not {"clear", "rate_limits", "redelivery_seconds"} & fields.keys():
            raise ActError(
                "invalid_fault", detail="Give method and mode, or clear, rate_limits or redelivery_seconds."
            )
        return await self.list_faults({})

    async def change_team(self, fields: JSON) -> JSON:
        """POST team: all of it or, where something is wrong, nothing."""
        workspace = self.workspace
        before, installed, working = workspace.team, workspace.installed, not workspace.token_error
        world.change(workspace, fields)
        for event in announcements.of_team(before, workspace.team):
            self.events.announce(event)
        uninstalled = installed and not workspace.installed
        if uninstalled or (working and workspace.token_error):
            for event in announcements.of_app(uninstalled=uninstalled):
                self.events.announce(event)
        return await self.state({})

    async def log(self, fields: JSON) -> JSON:
        """GET log."""
        return {"ok": True, "entries": list(self.journal.entries)}

    async def reset(self, fields: JSON) -> JSON:
        """POST reset."""
        self.events.cancel()
        self.events.redelivery = REDELIVERY
        self.workspace.reset()
        self.faults.clear()
        self.journal.entries.clear()
        return {"ok": True}


def _handler(work: Callable[[JSON], Awaitable[JSON]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        status = 200
        try:
            fields: Any = dict(request.query)
            if request.method == "POST":
                body = await request.read()
                fields = json_text.parse(body) if body else {}
                if not isinstance(fields, dict):
                    raise ActError("invalid_json", detail="Send a JSON object.")
            answer = await work(fields)
        except ActError as error:
            status, answer = error.status, error.answer
        except ValueError:
            status, answer = 400, {"ok": False, "error": "invalid_json"}
        body = json.dumps(answer, separators=(",", ":")).encode()
        return web.Response(body=body, status=status, content_type="application/json")

    return handle
