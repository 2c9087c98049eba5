"""What every act needs: its fields, what the person who acts has before them, and its answer."""

from __future__ import annotations

from typing import Any

from signoff.sandbox.delivery import Ack
from signoff.sandbox.errors import ActError
from signoff.sandbox.team import Channel, User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


def string(fields: JSON, name: str) -> str:
    """A string that has to be there. Raises ActError."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ActError("invalid_act", detail=f"{name} is missing")
    return value


def text(fields: JSON, name: str) -> str:
    """A string that may be missing or empty. Raises ActError."""
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ActError("invalid_act", detail=f"{name} is a string")
    return value


def channel(workspace: Workspace, user: User, fields: JSON) -> Channel:
    """The channel named in `channel`, which this person sees. Raises ActError."""
    found = workspace.team.channel(string(fields, "channel"))
    if found is None:
        raise ActError("channel_not_found", 404)
    if not workspace.team.can_see(user, found):
        raise ActError("not_in_channel", 403, detail="This person does not see this channel.")
    return found


def message(workspace: Workspace, user: User, fields: JSON) -> tuple[Channel, JSON]:
    """The message at `channel` and `ts`, which this person sees. Raises ActError."""
    place = channel(workspace, user, fields)
    found = workspace.message(place.id, string(fields, "ts"))
    if found is None or found.get("ephemeral_to", user.id) != user.id:
        raise ActError("message_not_found", 404)
    return place, found


def view(workspace: Workspace, user: User, fields: JSON) -> JSON:
    """The view that a person has before them: the top of the stack, or the Home. Raises ActError."""
    found = workspace.views.find(string(fields, "view_id"))
    if found is None or found[0] != user.id:
        raise ActError("view_not_found", 404)
    shown = found[1]
    if shown["type"] == "modal" and workspace.views.stacks[user.id][-1]["id"] != shown["id"]:
        raise ActError("view_not_on_top", 409, detail="Another view lies on top of this one.")
    return shown


def of_this_team(user: User) -> None:
    """Raise ActError for people of another organisation: they press buttons and write, no more than that."""
    if user.is_external:
        raise ActError("not_allowed_for_external_users", 403)


def answer(ack: Ack) -> JSON:
    """What an act answers once its envelope was acknowledged, or was not in time."""
    return {"ok": True, "acked": ack.acked, "ack_ms": ack.ms, "response": ack.response}
