"""The demo's reviewer: reads cards in Slack's stand-in, and clicks and fills in forms as a person would."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from signoff.sandbox.remote import Remote

JSON = dict[str, Any]
T = TypeVar("T")
SECONDS = 30.0
"""How long anything that has to appear may take."""
READ = 100
"""Characters of a payload that are told."""
REASON = "That is production. Ask the data team first."


class Unexpected(Exception):
    """Something did not appear, or was not taken."""


class Reviewer:
    """One person at the stand-in. `user` and `channel` are Slack ids."""

    def __init__(self, slack: Remote, user: str, name: str, channel: str) -> None:
        self._slack, self._user, self._name, self._channel = slack, user, name, channel
        self._done: set[str] = set()
        self._ways = {"refund.create": self._edit, "database.drop": self._reject, "email.send": self._approve}

    def decide(self) -> None:
        """Decide on the next card that comes, in the way that its action asks for; raises Unexpected."""
        card = self._until(
            "a card", lambda: next((c for c in self._cards() if c["ts"] not in self._done), None)
        )
        self._tell(f"reads a card: {_title(card)}. {_payload(card)}")
        self._ways[action_of(card)](card)
        self._done.add(card["ts"])

    def read(self, count: int) -> list[str]:
        """What the cards say once all `count` agents have reported or been told no: a line each."""
        cards = self._until("the outcomes", lambda: self._finished(count))
        return [f"{_title(card)}: {self._state(card)}" for card in cards]

    def _approve(self, card: JSON) -> None:
        self._tell("clicks Approve, and confirms")
        self._click(card, "approve")

    def _reject(self, card: JSON) -> None:
        self._tell(f"clicks Reject, and writes: {REASON}")
        self._click(card, "reject")
        self._submit(self._view("reject"), {"Why, or what to change": REASON})

    def _edit(self, card: JSON) -> None:
        self._tell("clicks Edit, changes the amount to 80, looks at the difference, and approves that")
        self._click(card, "edit")
        self._submit(self._view("edit"), {"amount (EUR)": "80"})
        self._submit(self._view("difference"), {})

    def _cards(self) -> list[JSON]:
        found = self._slack.messages(self._channel)
        return [one for one in found if (one["metadata"] or {}).get("event_type") == "signoff_approval"]

    def _finished(self, count: int) -> list[JSON]:
        cards = self._cards()
        states = [self._state(card) for card in cards]
        ended = [state for state in states if "Rejected" in state or "Done" in state]
        return cards if len(ended) == count else []

    def _state(self, card: JSON) -> str:
        """What the card's top-level text says of it, as Slack shows that."""
        text = str(card["text"]).replace("*", "").replace(f"<@{self._user}>", f"@{self._name}")
        shown = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", text)
        return "; ".join(shown.splitlines()[1:])

    def _view(self, callback_id: str) -> JSON:
        def top() -> JSON | None:
            stack = self._slack.views(self._user)["stack"]
            return stack[-1] if stack and stack[-1]["callback_id"] == callback_id else None

        return self._until(f"the form {callback_id}", top)

    def _click(self, card: JSON, action_id: str) -> None:
        self._act(type="click", channel=self._channel, ts=card["ts"], action_id=action_id)

    def _submit(self, view: JSON, answers: dict[str, str]) -> None:
        state = {
            block["block_id"]: {
                block["element"]["action_id"]: {
                    "type": block["element"]["type"],
                    "value": answers[block["label"]["text"]],
                }
            }
            for block in view["blocks"]
            if block["type"] == "input" and block["label"]["text"] in answers
        }
        self._act(type="submit", view_id=view["id"], state=state)

    def _act(self, **fields: Any) -> None:
        answer = self._slack.act(user=self._user, **fields)
        if not (answer.get("ok") and answer.get("acked")):
            raise Unexpected(f"the {fields['type']} was not taken: {answer}")

    def _until(self, what: str, look: Callable[[], T | None]) -> T:
        give_up = time.monotonic() + SECONDS
        while time.monotonic() < give_up:
            if found := look():
                return found
            time.sleep(0.05)
        raise Unexpected(f"{what} did not appear within {SECONDS:g} s")

    def _tell(self, line: str) -> None:
        print(f"{self._name:<10} {line}", flush=True)


def action_of(card: JSON) -> str:
    """The action stands on top of a card, or below the headline that its rule has."""
    below = card["blocks"][1]["elements"][0]
    return str(below["text"]) if below["type"] == "plain_text" else _title(card)


def _title(card: JSON) -> str:
    return str(card["blocks"][0]["text"]["text"])


def _payload(card: JSON) -> str:
    rows = "".join(_texts(block) for block in card["blocks"] if block["block_id"].startswith("payload"))
    line = ", ".join(" ".join(row.split()).removesuffix(",") for row in rows.splitlines() if row.strip())
    return line if len(line) <= READ else f"{line[:READ]}…"


def _texts(node: Any) -> str:
    """All text in a block, in its order."""
    if isinstance(node, dict):
        own = node.get("text")
        rest = (_texts(value) for name, value in node.items() if name != "text" or not isinstance(own, str))
        ends = "\n" if str(node.get("type")).startswith("rich_text_") else ""
        return (own if isinstance(own, str) else "") + "".join(rest) + ends
    return "".join(_texts(item) for item in node) if isinstance(node, list) else ""
