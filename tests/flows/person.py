"""What a person does in Slack: find a card, click, fill a form in, read what they are told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from support import eventually

from signoff.sandbox.remote import nodes
from signoff.sandbox.remote import words as text_of
from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
CHANNEL = "C0APPROVE1"
ANA, BEN, MIA, OMAR = "U0ANA00001", "U0BEN00001", "U0MIA00001", "U0OMAR0001"
CURRENCY = re.compile(r" \([A-Z]{3}\)\Z")
"""After an amount's name in the label of its input."""
PRESSABLE = frozenset({"button", "overflow", "static_select"})


def buttons(thing: JSON) -> list[str]:
    """The action ids that can be pressed, but for the menu at the side of what decides nothing any more."""
    found = nodes([_without_menu(block) for block in thing["blocks"]])
    return [str(n["action_id"]) for n in found if n.get("type") in PRESSABLE]


def _without_menu(block: JSON) -> JSON:
    menu = (block.get("accessory") or {}).get("type") == "overflow"
    return {name: value for name, value in block.items() if name != "accessory"} if menu else block


def choices(message: JSON) -> list[str]:
    """What a card's ⋯ menu offers: the values of its options."""
    menus = [n for n in nodes(message["blocks"]) if n.get("type") == "overflow"]
    return [str(option["value"]) for menu in menus for option in menu["options"]]


def can(message: JSON, what: str) -> bool:
    """Whether that can be done on a card: by a button, or in its menu."""
    return what in buttons(message) or any(one.startswith(f"{what}:") for one in choices(message))


def cards(slack: Sandbox, approval_id: str, channel: str = CHANNEL) -> list[JSON]:
    """Every message that is an approval's card, in the channel and in its threads."""
    seen = {}
    for top in slack.messages(channel):
        for message in slack.messages(channel, top["ts"]) if top.get("reply_count") else [top]:
            seen[message["ts"]] = message
    return [
        message
        for message in seen.values()
        if (message.get("metadata") or {}).get("event_type") == "signoff_approval"
        and message["metadata"]["event_payload"]["approval_id"] == approval_id
    ]


def card(slack: Sandbox, approval_id: str, channel: str = CHANNEL) -> JSON:
    """An approval's card, once it is there."""
    found: JSON = eventually(lambda: (cards(slack, approval_id, channel) or [None])[0])
    return found


def redrawn(slack: Sandbox, approval_id: str, *words: str, channel: str = CHANNEL) -> JSON:
    """The card once nothing on it decides (what is folded opens) and it says all these words."""

    def look() -> JSON | None:
        found = card(slack, approval_id, channel)
        decides = {*buttons(found)} - {"details"}
        return found if not decides and all(word in text_of(found) for word in words) else None

    try:
        found: JSON = eventually(look)
    except AssertionError:
        now = card(slack, approval_id, channel)
        raise AssertionError(f"{buttons(now)} {words} not in:\n{text_of(now)}") from None
    return found


@dataclass(frozen=True)
class Someone:
    """One person at the stand-in."""

    slack: Sandbox
    user: str
    channel: str = CHANNEL

    def click(self, message: JSON, action_id: str, **more: Any) -> JSON:
        """Press a button of a message, or choose that in its menu; asserts that the app acknowledged it."""
        pressable = [n.get("action_id") for n in nodes(message["blocks"])]
        chosen = next((one for one in choices(message) if one.startswith(f"{action_id}:")), None)
        if action_id not in pressable and chosen:
            action_id, more = "more", {**more, "value": chosen}
        channel = message.get("channel", self.channel)
        answer = self.slack.act(
            type="click", user=self.user, channel=channel, ts=message["ts"], action_id=action_id, **more
        )
        assert answer["ok"], answer
        assert answer["acked"] or answer.get("cancelled"), answer
        return answer

    def choose(self, message: JSON, choice: str) -> JSON:
        """An entry of the card's ⋯ menu."""
        menu = next(n for n in nodes(message["blocks"]) if n.get("action_id") == "more")
        value = next(o["value"] for o in menu["options"] if o["value"].startswith(choice))
        return self.click(message, "more", value=value)

    def press(self, view: JSON, action_id: str, **more: Any) -> JSON:
        """Press a button of a view."""
        answer = self.slack.act(type="click", user=self.user, view_id=view["id"], action_id=action_id, **more)
        assert answer["ok"] and answer["acked"], answer
        return answer

    def stack(self) -> list[JSON]:
        found: list[JSON] = self.slack.views(self.user)["stack"]
        return found

    def view(self, callback_id: str, *words: str) -> JSON:
        """The form on top, once it is this one and says these words."""

        def look() -> JSON | None:
            stack = self.stack()
            fits = stack and stack[-1]["callback_id"] == callback_id
            return stack[-1] if fits and all(word in text_of(stack[-1]) for word in words) else None

        try:
            found: JSON = eventually(look)
        except AssertionError:
            shown = [(view["callback_id"], text_of(view)) for view in self.stack()]
            raise AssertionError(f"no {callback_id} {words}: {shown}") from None
        return found

    def submit(self, view: JSON, **fields: Any) -> JSON:
        """Submit a form; `fields` are by label (spaces as _, no currency), an option by its value."""
        state = {}
        labels = {name.replace("_", " "): value for name, value in fields.items()}
        for block in view["blocks"]:
            label = CURRENCY.sub("", block["label"]["text"]) if block["type"] == "input" else ""
            if label in labels:
                element = block["element"]
                name = {
                    "radio_buttons": "selected_option", "static_select": "selected_option",
                    "checkboxes": "selected_options", "datepicker": "selected_date",
                    "external_select": "selected_option", "datetimepicker": "selected_date_time",
                    "users_select": "selected_user",
                }.get(element["type"], "value")  # fmt: skip
                given = {name: labels.pop(label)}
                state[block["block_id"]] = {element["action_id"]: given}
        assert not labels, f"no such field: {labels}"
        answer = self.slack.act(type="submit", user=self.user, view_id=view["id"], state=state)
        assert answer["ok"] and answer["acked"], answer
        return answer

    def reject(self, message: JSON, reason: str, *, changes: bool = False) -> JSON:
        """Reject… from the click to the submit."""
        self.click(message, "reject")
        which = {"Which is it?": "changes" if changes else "final"}
        return self.submit(self.view("reject"), **which, **{"Why,_or_what_to_change": reason})

    def history(self, approval_id: str, *words: str) -> JSON:
        """*Details…* of `/approvals show` for a request that has ended, once they say these words."""
        text, before = f"show {approval_id}", len(self.told())
        answer = self.slack.act(
            type="command", user=self.user, channel=self.channel, command="/approvals", text=text
        )
        assert answer["ok"] and answer["acked"], answer
        self.click(self.told_now(before), "details")
        return self.view("record", *words)

    def write(self, text: str, thread_ts: str = "") -> JSON:
        """Write in the channel, or in a thread of it; asserts that the app acknowledged what it was told."""
        more = {"thread_ts": thread_ts} if thread_ts else {}
        answer = self.slack.act(type="message", user=self.user, channel=self.channel, text=text, **more)
        assert answer["ok"] and (answer["acked"] or not answer["events"]), answer
        return answer

    def use_command(self, text: str) -> None:
        """`/approvals` and these words."""
        answer = self.slack.act(
            type="command", user=self.user, channel=self.channel, command="/approvals", text=text
        )
        assert answer["ok"] and answer["acked"], answer

    def use_shortcut(self, message: JSON, callback_id: str = "decide") -> None:
        """An entry of a message's own menu."""
        answer = self.slack.act(
            type="message_shortcut", user=self.user, channel=message.get("channel", self.channel),
            ts=message["ts"], callback_id=callback_id,
        )  # fmt: skip
        assert answer["ok"] and answer["acked"], answer

    def close_all(self) -> None:
        """Close whatever is open."""
        for view in self.stack()[:1]:
            self.slack.act(type="close", user=self.user, view_id=self.stack()[-1]["id"], all=True)
            assert view

    def told(self) -> list[JSON]:
        """What only they were told in the channel."""
        return [m for m in self.slack.messages(self.channel) if m.get("ephemeral_to") == self.user]

    def told_now(self, before: int, *words: str) -> JSON:
        """The message that came after `before` others, once it says these words."""

        def look() -> JSON | None:
            new = self.told()[before:]
            return next((m for m in new if all(w in m["text"] + text_of(m) for w in words)), None)

        try:
            found: JSON = eventually(look)
        except AssertionError:
            raise AssertionError(
                f"{words} not in {[m['text'] + text_of(m) for m in self.told()[before:]]}"
            ) from None
        return found
