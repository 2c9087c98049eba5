"""Somebody who presses whatever there is to press, and types whatever fits, in one script after the other."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flows.local import SHARED, Local
from flows.person import PRESSABLE, card
from support import eventually

from signoff.bot.app import Running
from signoff.sandbox.remote import nodes

JSON = dict[str, Any]
Act = Callable[[], JSON]
HELD = {
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "external_select": "selected_option",
    "checkboxes": "selected_options",
    "datepicker": "selected_date",
    "datetimepicker": "selected_date_time",
}
ON_ITS_WAY = ("loading", "checking")


STOPS = ("stop", "resume")
"""What a card's menu has, and nobody presses by chance: all that is asked after it would be refused."""


@dataclass
class Walk:
    """`user` beside the card of an approval; types `word` into texts. Every act has to be acknowledged."""

    local: Local
    running: Running
    user: str
    approval_id: str
    word: str
    dice: random.Random
    driven: set[tuple[str, str]] = field(default_factory=set)

    def step(self) -> JSON:
        """One act, drawn of those that were not done yet, or of all; once all that follows it has come."""
        acts = self._acts()
        new = [name for name in acts if name not in self.driven]
        name = self.dice.choice(sorted(new or acts))
        return self.do(name, acts[name])

    def do(self, name: tuple[str, str], act: Act) -> JSON:
        """One act."""
        answer = act()
        assert answer["ok"] and (answer["acked"] or name[0] in ("close", "message")), (name, answer)
        self.driven.add(name)
        assert self.running.wait(60), name
        eventually(lambda: not self.stack() or self.stack()[-1]["callback_id"] not in ON_ITS_WAY)
        return answer

    def stack(self) -> list[JSON]:
        found: list[JSON] = self.local.slack.views(self.user)["stack"]
        return found

    def _act(self, **fields: Any) -> JSON:
        return self.local.slack.act(user=self.user, **fields)

    def _acts(self) -> dict[tuple[str, str], Act]:
        """All that can be done now, by name: in the modal that is on top, else on the card and beside it."""
        if stack := self.stack():
            view = stack[-1]
            acts = self._presses(view, view_id=view["id"])
            acts[("close", view["callback_id"])] = lambda: self._act(type="close", view_id=view["id"])
            if view["submit"]:
                acts[("view", view["callback_id"])] = lambda: self.submit(view)
            acts |= self._suggestions(view)
            return acts
        message = card(self.local.slack, self.approval_id, SHARED)
        acts = self._presses(message, channel=SHARED, ts=message["ts"])
        told = [m for m in self.local.slack.messages(SHARED) if m.get("ephemeral_to") == self.user]
        for private in told[-1:]:
            acts |= self._presses(private, channel=SHARED, ts=private["ts"])
        for text in ("", "mine", "history", "help", f"show {self.approval_id}", f"pending {self.word[:90]}"):
            acts[("command", text[:7])] = lambda text=text: self.command(text)  # type: ignore[misc]
        acts[("shortcut", "pending")] = lambda: self._act(type="shortcut", callback_id="pending")
        acts[("message_shortcut", "decide")] = lambda: self._act(
            type="message_shortcut", channel=SHARED, ts=message["ts"], callback_id="decide"
        )
        acts[("home", "open")] = self.open_home
        if home := self.local.slack.views(self.user)["home"]:
            acts |= self._presses(home, view_id=home["id"])
        return acts

    def command(self, text: str) -> JSON:
        """A slash command of ours."""
        return self._act(type="command", channel=SHARED, command="/approvals", text=text)

    def open_home(self) -> JSON:
        """Open the Home, and have it drawn as a worker would."""
        answer = self._act(type="open_home")
        self.local.draw_homes()
        return answer

    def submit(self, view: JSON) -> JSON:
        """Submit a form, with something typed in about half of its inputs."""
        state = {}
        for block in view["blocks"]:
            if block["type"] == "input" and self.dice.random() < 0.5:
                held = self._typed(block["element"])
                if held is not None:
                    state[block["block_id"]] = {block["element"]["action_id"]: held}
        return self._act(type="submit", view_id=view["id"], state=state)

    def _typed(self, element: JSON) -> JSON | None:
        kind = element["type"]
        if kind in ("static_select", "radio_buttons"):
            return {"selected_option": self.dice.choice(element["options"])}
        if kind == "checkboxes":
            return {"selected_options": element["options"][: self.dice.randrange(2)]}
        if kind == "plain_text_input":
            most = min(element.get("max_length", 3000), 3000)
            return {"value": (self.word * 3000)[: self.dice.choice([0, 1, 40, most])].strip() or None}
        if kind == "number_input":
            return {"value": str(self.dice.randrange(1, 9))}
        if kind == "users_select":
            return {"selected_user": self.dice.choice([self.user, "U0BEN00001", "U0MIA00001"])}
        return {"selected_date": "2026-12-01"} if kind == "datepicker" else None

    def _suggestions(self, view: JSON) -> dict[tuple[str, str], Act]:
        found: dict[tuple[str, str], Act] = {}
        for block in view["blocks"]:
            element = block.get("element") or {}
            if element.get("type") == "external_select":
                name = {"action_id": element["action_id"], "block_id": block["block_id"]}
                asks = {
                    "type": "suggest",
                    "view_id": view["id"],
                    "value": self.dice.choice(["", self.word[:1]]),
                }
                found[("options", element["action_id"])] = lambda asks=asks, name=name: self._act(  # type: ignore[misc]
                    **asks, **name
                )
        return found

    def _presses(self, shown: JSON, **where: str) -> dict[tuple[str, str], Act]:
        found: dict[tuple[str, str], Act] = {}
        for element in nodes(shown["blocks"]):
            if element.get("type") not in PRESSABLE or "action_id" not in element or element.get("url"):
                continue
            name = element["action_id"]
            for value in [o["value"] for o in element.get("options", ())] or [element.get("value")]:
                more = {"value": value} if value else {}
                if str(value).partition(":")[0] in STOPS:
                    continue
                key = f"{name}:{value.partition(':')[0]}" if element.get("options") else name
                found[("action", key)] = lambda name=name, more=more: self._act(  # type: ignore[misc]
                    type="click", action_id=name, **where, **more
                )
        return found
