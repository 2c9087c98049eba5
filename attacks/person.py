"""A person at the stand-in: what they press, fill in and read."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.world import JSON, World, until
from signoff.sandbox.remote import nodes, words


def buttons(shown: JSON) -> list[str]:
    """The action ids that can be pressed."""
    return [str(node["action_id"]) for node in nodes(shown["blocks"]) if node.get("type") == "button"]


@dataclass(frozen=True)
class Person:
    """One of the stand-in's people."""

    world: World
    user: str

    def click(self, card: JSON, action_id: str) -> JSON:
        """Press a card's button."""
        return self.world.click(card, action_id, self.user)

    def form(self, callback_id: str, *said: str) -> JSON:
        """The form on top, once it is this one and says this."""

        def look() -> JSON | None:
            stack = self.world.slack.views(self.user)["stack"]
            fits = stack and stack[-1]["callback_id"] == callback_id
            return stack[-1] if fits and all(one in words(stack[-1]) for one in said) else None

        return until(f"the form {callback_id}", look)

    def submit(self, form: JSON, **fields: str) -> JSON:
        """Send a form off, with these of its fields by their labels filled in."""
        state = {
            block["block_id"]: {block["element"]["action_id"]: {"value": fields[block["label"]["text"]]}}
            for block in form["blocks"]
            if block["type"] == "input" and block["label"]["text"] in fields
        }
        return self.world.slack.act(type="submit", user=self.user, view_id=form["id"], state=state)

    def close(self) -> None:
        """Close whatever is open."""
        stack = self.world.slack.views(self.user)["stack"]
        if stack:
            self.world.slack.act(type="close", user=self.user, view_id=stack[-1]["id"], all=True)
