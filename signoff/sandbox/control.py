"""JSON under /sandbox, for programs that drive the stand-in.

- `GET state`: team, bot, users, channels (with members), usergroups, connections; `acts`, how many there were
- `GET state?user=U…`: the same, and `reads`: what that person sees, and has read (see `reads.py`)
- `GET messages?channel=C…[&thread_ts=…]`; with `&user=U…` as that person sees it, with `&limit=…[&before=ts]`
  the newest of them, and whether there are `more`
- `GET views?user=U…` (`stack`, the top last, and `home`); `GET events?user=U…`: see `stream.py`
- `POST http`: `{"url": "https://…"}` is the app's request URL from now on, where it is called by HTTP and
  answers Slack's challenge: see `http_mode.py`
- `POST read`: see `reads.py`; `GET pane`, `POST pane`: see `panes.py`
- `POST act`: see `acts.py`
- `GET faults`; `POST faults`: see `faults.py`; `{"clear": true}`, `{"rate_limits": true}`,
  `{"redelivery_seconds": [0, 0.1, 0.2]}` (see `events.py`), `{"ghosts": 3}` (see `socket_mode.py`); a
  `disconnect` of the socket takes a `reason`: Slack's, or `half_open`, which leaves ghosts behind
- `POST team`: `{"users": {id: {flag: value}}, "channels": {id: {field: value}}, "usergroups": {id: {field:
  value}}, "bot": {"token_error": "token_revoked" | "account_inactive" | "", "scopes": […], "installed":
  bool, "org_deploy": bool}, "events": […], "features": {…}, "enterprise": "E…" | "", "plan": "free" |
  "standard"}`. On the plan `free` there are no user groups; where `org_deploy` is true conversations are
  known by their ids alone. `enterprise` makes the workspace part of an Enterprise Grid; people of its other
  workspaces have a `team_id` and `teams` of their own, and its `enterprise_id`. The fields are those of
  `team.py`; a channel also takes `bot_is_member`. What is not there yet is created and needs a `name`.
  `events` are what the app subscribes to (see `subscriptions.py`), `features` the commands and shortcuts that
  the page lists (see `features.py`); of a change it is told in the background. Where `installed` is false the
  app is uninstalled: its bot token is dead, and nobody can use it any more
- `GET log`: `entries`, every call and envelope; with `?brief=1` the newest as lines of the inspector, with
  `?n=…` that one alone; `POST reset`: as freshly started, tokens and links kept
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from signoff.sandbox import announcements, json_text, reads, world
from signoff.sandbox.acts import Acts
from signoff.sandbox.errors import ActError
from signoff.sandbox.events import REDELIVERY, Events
from signoff.sandbox.faults import Fault, Faults
from signoff.sandbox.http_mode import HttpMode
from signoff.sandbox.journal import Journal, brief
from signoff.sandbox.panes import Panes
from signoff.sandbox.socket_mode import SocketMode
from signoff.sandbox.team import User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
LINES: Final = 300
"""Of the inspector, when it opens."""


@dataclass(slots=True)
class Control:
    """The endpoints, each of which takes the query or the posted object and gives an object."""

    workspace: Workspace
    socket_mode: SocketMode
    http_mode: HttpMode | None
    faults: Faults
    journal: Journal
    acts: Acts
    events: Events
    panes: Panes

    def routes(self) -> list[web.RouteDef]:
        """For the web application."""
        return [
            web.get("/sandbox/state", _handler(self.state)),
            web.get("/sandbox/messages", _handler(self.messages)),
            web.get("/sandbox/views", _handler(self.views)),
            web.get("/sandbox/faults", _handler(self.list_faults)),
            web.get("/sandbox/log", _handler(self.log)),
            web.get("/sandbox/pane", _handler(self.panes.listed)),
            web.post("/sandbox/pane", _handler(self.panes.append)),
            web.post("/sandbox/http", _handler(self.set_request_url)),
            web.post("/sandbox/read", _handler(self.mark_read)),
            web.post("/sandbox/act", _handler(self.acts.do)),
            web.post("/sandbox/faults", _handler(self.add_fault)),
            web.post("/sandbox/team", _handler(self.change_team)),
            web.post("/sandbox/reset", _handler(self.reset)),
        ]

    async def state(self, fields: JSON) -> JSON:
        """GET state."""
        state = world.as_json(self.workspace)
        state |= {"connections": len(self.socket_mode.links), "acts": self.acts.done}
        if self.http_mode is not None:
            state["http"] = {"url": self.http_mode.url, "verified": self.http_mode.verified}
        if fields.get("user"):
            state["reads"] = reads.of_user(self.workspace, self._user(fields))
        return state

    async def set_request_url(self, fields: JSON) -> JSON:
        """POST http."""
        if self.http_mode is None:
            raise ActError("socket_mode", 409, detail="This app is reached over Socket Mode.")
        await self.http_mode.set_url(fields.get("url"))
        return await self.state({})

    async def mark_read(self, fields: JSON) -> JSON:
        """POST read."""
        return reads.mark(self.workspace, fields)

    async def messages(self, fields: JSON) -> JSON:
        """GET messages, oldest first. A user's id stands for the app's direct message with them."""
        wanted, team = fields.get("channel", ""), self.workspace.team
        if wanted in team.users:
            wanted = team.direct_message(wanted).id
        channel = team.channel(wanted)
        if channel is None:
            raise ActError("channel_not_found", 404)
        listed = self.workspace.listed(channel.id, fields.get("thread_ts") or None)
        if fields.get("user"):
            user = self._user(fields)
            if not team.can_see(user, channel):
                raise ActError("not_in_channel", 403)
            listed = [message for message in listed if message.get("ephemeral_to", user.id) == user.id]
        return {"ok": True, "channel": channel.id} | _page(listed, fields)

    async def views(self, fields: JSON) -> JSON:
        """GET views. A view whose last submission was refused has `errors`."""
        user, views = self._user(fields).id, self.workspace.views
        return {"ok": True, "stack": views.stack_of(user), "home": views.homes.get(user)}

    def _user(self, fields: JSON) -> User:
        found = self.workspace.team.users.get(fields.get("user", ""))
        if found is None:
            raise ActError("user_not_found", 404)
        return found

    async def list_faults(self, fields: JSON) -> JSON:
        """GET faults: what is left of them."""
        pending = [fault.as_json() for fault in self.faults.pending]
        more = {"rate_limits": self.faults.rate_limits, "redelivery_seconds": self.events.redelivery}
        return {"ok": True, "faults": pending, **more, "ghosts": self.socket_mode.ghosts}

    async def add_fault(self, fields: JSON) -> JSON:
        """POST faults. A disconnect of the socket happens at once; `reason` may name Slack's reason."""
        if fields.get("clear") is True:
            self.faults.clear()
            self.events.redelivery = REDELIVERY
            self.socket_mode.ghosts = 0
        if "ghosts" in fields:
            self.socket_mode.haunt(fields["ghosts"])
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
        elif not {"clear", "rate_limits", "redelivery_seconds", "ghosts"} & fields.keys():
            raise ActError(
                "invalid_fault",
                detail="Give method and mode, or clear, rate_limits, redelivery_seconds or ghosts.",
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
        workspace.feed.tell("team", {})
        return await self.state({})

    async def log(self, fields: JSON) -> JSON:
        """GET log."""
        if fields.get("brief"):
            return {"ok": True, "entries": [brief(entry) for entry in list(self.journal.entries)[-LINES:]]}
        if number := fields.get("n", ""):
            entry = self.journal.find(int(number)) if number.isdecimal() else None
            if entry is None:
                raise ActError("no_such_entry", 404)
            return {"ok": True, "entry": entry}
        return {"ok": True, "entries": list(self.journal.entries)}

    async def reset(self, fields: JSON) -> JSON:
        """POST reset."""
        self.events.cancel()
        self.events.redelivery = REDELIVERY
        self.socket_mode.ghosts = 0
        self.workspace.reset()
        self.faults.clear()
        self.journal.entries.clear()
        self.panes.clear()
        self.workspace.feed.tell("reset", {})
        return {"ok": True}


def _page(listed: list[JSON], fields: JSON) -> JSON:
    """The newest `limit` of the messages that stand before `before`."""
    limit, before = fields.get("limit", ""), fields.get("before", "")
    older = [message for message in listed if not before or message["ts"] < before]
    if not limit:
        return {"messages": older}
    if not limit.isdecimal() or not 0 < int(limit) <= 1_000:
        raise ActError("invalid_limit", detail="limit is a whole number from 1 to 1000")
    return {"messages": older[-int(limit) :], "more": len(older) > int(limit)}


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
