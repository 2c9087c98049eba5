"""Modals and Homes: one stack a person, three deep, with hashes and with what people have typed.

A view is the JSON that Slack gives out. Like messages it is never changed in place.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from signoff.bot.blocks import VIEW_BYTES, VIEW_STACK, check_view, options_of, view_bytes
from signoff.sandbox import blocks
from signoff.sandbox.errors import SlackError, refused
from signoff.sandbox.feed import Feed
from signoff.sandbox.team import APP_ID, BOT_ID, TEAM_ID

JSON = dict[str, Any]


@dataclass(slots=True)
class Views:
    """`stacks` (the top view last) and `homes` by user id; `errors` of the last submission by view id."""

    feed: Feed = field(default_factory=Feed)
    stacks: dict[str, list[JSON]] = field(default_factory=dict)
    homes: dict[str, JSON] = field(default_factory=dict)
    errors: dict[str, dict[str, str]] = field(default_factory=dict)

    def stack_of(self, user: str) -> list[JSON]:
        """A person's modals, the top last. One whose last submission was refused has `errors`."""
        return [
            view | ({"errors": self.errors[view["id"]]} if view["id"] in self.errors else {})
            for view in self.stacks.get(user, [])
        ]

    def find(self, view_id: str) -> tuple[str, JSON] | None:
        """A view and whose it is, by its id."""
        for user, stack in self.stacks.items():
            for view in stack:
                if view["id"] == view_id:
                    return user, view
        return next(((u, v) for u, v in self.homes.items() if v["id"] == view_id), None)

    def find_external(self, external_id: str) -> tuple[str, JSON] | None:
        """A view and whose it is, by the app's own id."""
        every = [(u, v) for u, stack in self.stacks.items() for v in stack] + list(self.homes.items())
        return next(((u, v) for u, v in every if v["external_id"] == external_id), None)

    def open(self, user: str, raw: Any) -> JSON:
        """Open a modal. A person has one stack: it takes the place of what was open."""
        view = self._build(raw, "modal")
        self._forget(self.stacks.get(user, []))
        self.stacks[user] = [view]
        self._tell(user)
        return view

    def push(self, user: str, raw: Any) -> JSON:
        """Put a modal on top of a person's stack."""
        stack = self.stacks.get(user) or []
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= VIEW_STACK:
            raise SlackError("push_limit_reached")
        view = self._build(raw, "modal") | {
            "root_view_id": stack[0]["id"],
            "previous_view_id": stack[-1]["id"],
        }
        self.stacks[user] = [*stack, view]
        self._tell(user)
        return view

    def update(self, view_id: str, raw: Any, hash_: str | None = None) -> JSON:
        """Replace a view's content. What was typed stays where block_id and action_id are the same."""
        found = self.find(view_id)
        if found is None:
            raise SlackError("not_found")
        user, old = found
        if hash_ is not None and hash_ != old["hash"]:
            raise SlackError("hash_conflict")
        kept = ("id", "root_view_id", "previous_view_id")
        view = self._build(raw, old["type"], old) | {name: old[name] for name in kept}
        self._store(user, view)
        self.errors.pop(view_id, None)
        self._tell(user, view)
        return view

    def publish(self, user: str, raw: Any, hash_: str | None = None) -> JSON:
        """Set a person's Home."""
        old = self.homes.get(user)
        if hash_ is not None and (old is None or hash_ != old["hash"]):
            raise SlackError("hash_conflict")
        view = self._build(raw, "home", old)
        if old is not None:
            view |= {"id": old["id"], "root_view_id": old["id"]}
        self.homes[user] = view
        self._tell(user, view)
        return view

    def complain(self, view_id: str, errors: dict[str, str]) -> None:
        """Show errors at the inputs of a view, by block_id; a view that has gone needs none."""
        found = self.find(view_id)
        if found is not None:
            self.errors[view_id] = dict(errors)
            self._tell(found[0])

    def keep(self, view_id: str, values: JSON) -> JSON:
        """Keep what a person has typed; gives the view with it. The hash stays: the app changed nothing."""
        found = self.find(view_id)
        if found is None:
            raise SlackError("not_found")
        user, old = found
        view = {**old, "state": {"values": values}}
        self._store(user, view)
        return view

    def close(self, user: str, view_id: str) -> None:
        """Take a view off a person's stack, and what lies on top of it."""
        stack = self.stacks.get(user, [])
        index = next((i for i, view in enumerate(stack) if view["id"] == view_id), len(stack))
        self._forget(stack[index:])
        self.stacks[user] = stack[:index]
        self._tell(user)

    def clear(self, user: str) -> None:
        """Close all modals of a person."""
        self._forget(self.stacks.pop(user, []))
        self._tell(user)

    def _tell(self, user: str, view: JSON | None = None) -> None:
        """Tell the person's page what it has to show now; `view` is a Home, or a modal like the rest."""
        if view is not None and view["type"] == "home":
            self.feed.tell("home", {"home": view}, user=user)
        else:
            self.feed.tell("stack", {"stack": self.stack_of(user)}, user=user)

    def _forget(self, closed: list[JSON]) -> None:
        for view in closed:
            self.errors.pop(view["id"], None)

    def _store(self, user: str, view: JSON) -> None:
        if view["type"] == "home":
            self.homes[user] = view
        else:
            self.stacks[user] = [view if v["id"] == view["id"] else v for v in self.stacks[user]]

    def _build(self, raw: Any, type_: str, old: JSON | None = None) -> JSON:
        if isinstance(raw, dict) and view_bytes(raw) > VIEW_BYTES:
            raise SlackError("view_too_large")
        problems = check_view(raw)
        if problems:
            raise refused("invalid_arguments", problems, "/view")
        if raw["type"] != type_:
            raise SlackError(
                "invalid_arguments",
                response_metadata={"messages": [f"[ERROR] must be {type_} [json-pointer:/view/type]"]},
            )
        external_id = raw.get("external_id") or ""
        taken = self.find_external(external_id) if external_id else None
        if taken is not None and (old is None or taken[1]["id"] != old["id"]):
            raise SlackError("duplicate_external_id")
        named = blocks.with_ids(raw["blocks"])
        id_ = f"V{secrets.token_hex(5).upper()}"
        view: JSON = {"id": id_, "team_id": TEAM_ID, "type": type_, "blocks": named}
        view |= {"private_metadata": "", "callback_id": "", "title": None, "submit": None, "close": None}
        view |= {"clear_on_close": False, "notify_on_close": False, "submit_disabled": False}
        view |= {name: value for name, value in raw.items() if name != "blocks" and value is not None}
        view |= {"external_id": external_id, "state": {"values": _carried(named, old)}}
        view |= {"hash": f"{int(time.time())}.{secrets.token_hex(4)}", "root_view_id": id_}
        view |= {
            "previous_view_id": None,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
        }
        return view


def _carried(named: list[JSON], old: JSON | None) -> JSON:
    values = blocks.initial_values(named)
    before: JSON = old["state"]["values"] if old else {}
    for block, element in blocks.elements(named):
        typed = before.get(block["block_id"], {}).get(element["action_id"])
        if typed is not None and typed["type"] == element["type"] and _still_offered(element, typed):
            values[block["block_id"]][element["action_id"]] = typed
    return values


def _still_offered(element: JSON, typed: JSON) -> bool:
    chosen = [typed.get("selected_option"), *(typed.get("selected_options") or ())]
    if element["type"].endswith("external_select") or not any(chosen):
        return True
    offered = [option["value"] for option in options_of(element)]
    return all(option["value"] in offered for option in chosen if option)
