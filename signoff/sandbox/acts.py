"""What people do: click, submit, close, run a command, open the Home, use a shortcut, type, write.

- `{"type": "click", "user", "channel", "ts", "action_id", "value"?}`; on a view `view_id` in place of both
  (what an update has just taken away can still be pressed, as on a screen that is behind)
- `{"type": "submit", "user", "view_id", "state", "client_checks"?}` (what Slack's client would not let a
  person submit reaches the app all the same, since not every client is Slack's, and stands in the answer's
  `client_refuses`; with `client_checks: true` it is refused), `{"type": "close", "user", "view_id", "all"?}`
- `{"type": "command", "user", "channel", "command", "text"?}`, `{"type": "open_home", "user", "tab"?}`
- `shortcut`, `message_shortcut`: see `shortcuts.py`; `suggest`: `suggestions.py`; `message`: `posts.py`

An act is a JSON object with `type` and `user`. It answers `{"ok", "acked", "ack_ms", "response"}` once the
app has acknowledged, or after three seconds. What nobody could do in Slack raises ActError and sends nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from signoff.bot.blocks import check_message
from signoff.sandbox import act, blocks, elements, forms
from signoff.sandbox.delivery import Ack, Delivery
from signoff.sandbox.errors import ActError, SlackError
from signoff.sandbox.events import Events
from signoff.sandbox.payloads import Payloads
from signoff.sandbox.posts import Posts
from signoff.sandbox.shortcuts import Shortcuts
from signoff.sandbox.suggestions import Suggestions
from signoff.sandbox.team import Channel, User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


@dataclass(slots=True)
class Acts:
    """The people of one stand-in."""

    workspace: Workspace
    app: Delivery
    payloads: Payloads
    events: Events
    done: int = 0
    """How many acts of people there were; by it a program knows that somebody is there."""
    kinds: dict[str, Callable[[User, JSON], Awaitable[JSON]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shortcuts = Shortcuts(self.workspace, self.app, self.payloads)
        self.kinds = {
            "click": self._click,
            "submit": self._submit,
            "close": self._close,
            "command": self._command,
            "open_home": self._open_home,
            "shortcut": shortcuts.anywhere,
            "message_shortcut": shortcuts.on_message,
            "suggest": Suggestions(self.workspace, self.app, self.payloads).ask,
            "message": Posts(self.workspace, self.events).write,
        }

    async def do(self, fields: JSON) -> JSON:
        """Perform one act. Raises ActError."""
        kind = fields.get("type")
        if not isinstance(kind, str) or kind not in self.kinds:
            raise ActError("unknown_type", detail=f"type is one of {', '.join(self.kinds)}")
        user = self.workspace.team.users.get(act.string(fields, "user"))
        if user is None:
            raise ActError("user_not_found", 404)
        if user.deleted or user.is_bot:
            raise ActError("user_cannot_act", 403, detail="Deleted users and bots press nothing.")
        if kind != "message" and not self.workspace.installed:
            raise ActError("app_not_installed", 409, detail="The app was uninstalled: nothing reaches it.")
        self.done += 1
        return await self.kinds[kind](user, fields)

    async def _click(self, user: User, fields: JSON) -> JSON:
        if fields.get("view_id"):
            return await self._click_in_view(user, fields)
        channel, message = act.message(self.workspace, user, fields)
        message, block, element = self._on_screen(channel.id, message, user, fields)
        if _cancelled(element, fields):
            return _cancelled_answer()
        values = blocks.initial_values(message["blocks"])
        done, state = elements.action(block, element, fields.get("value"), self.workspace.next_ts())
        if state is not None:
            values[block["block_id"]][element["action_id"]] = state
        payload = self.payloads.message_action(user, channel, message, done, values)
        return act.answer(await self.app.deliver("interactive", payload, takes_response=False))

    async def _click_in_view(self, user: User, fields: JSON) -> JSON:
        view = act.view(self.workspace, user, fields)
        if "state" in fields:
            view = self.workspace.views.keep(view["id"], forms.merged(view, fields["state"]))
        block, element = self._pressed(view["blocks"], user, fields)
        if _cancelled(element, fields):
            return _cancelled_answer()
        done, state = elements.action(block, element, fields.get("value"), self.workspace.next_ts())
        if state is not None:
            values = forms.merged(view, {block["block_id"]: {element["action_id"]: state}})
            view = self.workspace.views.keep(view["id"], values)
        payload = self.payloads.view_action(user, view, done)
        return act.answer(await self.app.deliver("interactive", payload, takes_response=False))

    async def _submit(self, user: User, fields: JSON) -> JSON:
        view = act.view(self.workspace, user, fields)
        if view["type"] != "modal" or not view["submit"]:
            raise ActError("no_submit_button", detail="This view has no submit button.")
        if view["submit_disabled"]:
            raise ActError("submit_disabled")
        values = forms.merged(view, fields.get("state") or {})
        complaints = forms.complaints(view, values)
        if complaints and fields.get("client_checks"):
            raise ActError("client_refuses", **complaints)
        view = self.workspace.views.keep(view["id"], values)
        self.workspace.views.errors.pop(view["id"], None)
        payload = self.payloads.view_submission(user, view)
        ack = await self.app.deliver("interactive", payload)
        answer = act.answer(ack) | ({"client_refuses": complaints} if complaints else {})
        return answer | (self._respond(user, view["id"], ack.response) if ack.acked else {})

    def _respond(self, user: User, view_id: str, response: Any) -> JSON:
        """Do what the acknowledgement of a submission says; gives what to add to the act's answer."""
        views = self.workspace.views
        wanted = response.get("response_action") if isinstance(response, dict) else None
        try:
            if not response:
                views.close(user.id, view_id)
            elif wanted == "errors":
                self._show_errors(view_id, response.get("errors"))
            elif wanted == "update":
                views.update(view_id, response.get("view"))
            elif wanted == "push":
                views.push(user.id, response.get("view"))
            elif wanted == "clear":
                views.clear(user.id)
            else:
                raise SlackError("invalid_response_action")
        except SlackError as error:
            return error.answer  # Slack's client says "We had some trouble connecting" and leaves the view
        return {}

    def _show_errors(self, view_id: str, errors: Any) -> None:
        found = self.workspace.views.find(view_id)
        if not isinstance(errors, dict) or not errors:
            raise SlackError("invalid_response_errors")
        if found is None:
            return
        inputs = [block["block_id"] for block in found[1]["blocks"] if block["type"] == "input"]
        strange = [block_id for block_id in errors if block_id not in inputs]
        if strange or not all(isinstance(text, str) and text for text in errors.values()):
            raise SlackError("invalid_response_errors", no_such_input=strange)
        self.workspace.views.complain(view_id, errors)

    async def _close(self, user: User, fields: JSON) -> JSON:
        """Close the top view, or with `all` the whole stack. The app hears of it where it asked to."""
        view = act.view(self.workspace, user, fields)
        if view["type"] != "modal":
            raise ActError("view_not_found", 404)
        every = fields.get("all") is True or view["clear_on_close"]
        closed = list(reversed(self.workspace.views.stacks[user.id])) if every else [view]
        self.workspace.views.close(user.id, closed[-1]["id"])
        ack = Ack(True)
        for gone in closed:
            if gone["notify_on_close"]:
                payload = self.payloads.view_closed(user, gone, is_cleared=every)
                ack = await self.app.deliver("interactive", payload, takes_response=False)
        return act.answer(ack)

    async def _command(self, user: User, fields: JSON) -> JSON:
        act.of_this_team(user)
        channel = act.channel(self.workspace, user, fields)
        command = act.string(fields, "command")
        if not command.startswith("/"):
            raise ActError("invalid_command", detail="A command begins with a slash.")
        if fields.get("thread_ts"):
            raise ActError("not_in_threads", detail="Slack runs no slash commands inside threads.")
        text = act.text(fields, "text")
        payload = self.payloads.command(user, channel, command, text)
        ack = await self.app.deliver("slash_commands", payload)
        return act.answer(ack) | self._post_response(user, channel, ack.response)

    def _post_response(self, user: User, channel: Channel, response: Any) -> JSON:
        """A command's acknowledgement may hold a message: for the person alone unless it says in_channel."""
        if not isinstance(response, dict) or not (response.get("text") or response.get("blocks")):
            return {}
        found = response.get("blocks") or None
        if found is not None and (not isinstance(found, list) or check_message(found)):
            return {"ok": False, "error": "invalid_blocks"}
        to = None if response.get("response_type") == "in_channel" else user.id
        self.workspace.post(channel, str(response.get("text") or ""), found, ephemeral_to=to)
        return {}

    async def _open_home(self, user: User, fields: JSON) -> JSON:
        act.of_this_team(user)
        tab = act.text(fields, "tab") or "home"
        if tab not in ("home", "messages"):
            raise ActError("invalid_act", detail="tab is home or messages")
        sent = await self.events.send(self.payloads.home_opened(user, tab))
        return act.answer(sent.ack if sent else Ack(False))

    def _on_screen(self, channel_id: str, message: JSON, user: User, fields: JSON) -> tuple[JSON, JSON, JSON]:
        """The message with what is pressed, as it is or as a screen that is behind still shows it."""
        states = [message, *self.workspace.earlier.get((channel_id, message["ts"]), ())]
        for number, state in enumerate(states):
            try:
                return state, *self._pressed(state.get("blocks", []), user, fields)
            except ActError:
                if number == len(states) - 1:
                    break
        return message, *self._pressed(message.get("blocks", []), user, fields)

    def _pressed(self, on: list[JSON], user: User, fields: JSON) -> tuple[JSON, JSON]:
        action_id = act.string(fields, "action_id")
        block, element = elements.pressed(on, action_id, fields.get("value"), user.id, fields.get("block_id"))
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise ActError("no_such_element", 404, detail="This input is sent when the form is submitted.")
        return block, element


def _cancelled(element: JSON, fields: JSON) -> bool:
    return bool(element.get("confirm")) and fields.get("confirm") is False


def _cancelled_answer() -> JSON:
    return {"ok": True, "acked": False, "ack_ms": None, "response": None, "cancelled": True}
