"""views.open, views.push, views.update and views.publish. None of them needs a scope."""

from __future__ import annotations

from typing import Any, Final

from signoff.sandbox.arguments import Arguments, invalid
from signoff.sandbox.errors import SlackError
from signoff.sandbox.method import Method
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


def open_(workspace: Workspace, arguments: Arguments) -> JSON:
    """views.open: spends the trigger only where the view is good, as a retry would need it."""
    trigger = workspace.check_trigger(arguments.required("trigger_id"))
    view = workspace.views.open(trigger.user, _view(arguments))
    trigger.used = True
    return {"view": view}


def push(workspace: Workspace, arguments: Arguments) -> JSON:
    """views.push: the trigger has to come from a modal that is open."""
    trigger = workspace.check_trigger(arguments.required("trigger_id"))
    stack = workspace.views.stacks.get(trigger.user, [])
    if trigger.view_id not in [view["id"] for view in stack]:
        raise SlackError("invalid_trigger_id")
    view = workspace.views.push(trigger.user, _view(arguments))
    trigger.used = True
    return {"view": view}


def update(workspace: Workspace, arguments: Arguments) -> JSON:
    """views.update: by view_id or external_id, and only if the hash (where given) is the current one."""
    view_id, external_id = arguments.string("view_id"), arguments.string("external_id")
    if external_id and view_id:
        raise invalid("view_id", "Cannot provide both `view_id` and `external_id`")
    if external_id:
        found = workspace.views.find_external(external_id)
        if found is None:
            raise SlackError("not_found")
        view_id = found[1]["id"]
    if not view_id:
        raise invalid("view_id", "missing required field: view_id or external_id")
    hash_ = arguments.string("hash") or None
    return {"view": workspace.views.update(view_id, _view(arguments), hash_)}


def publish(workspace: Workspace, arguments: Arguments) -> JSON:
    """views.publish: a person's Home."""
    user = workspace.team.users.get(arguments.required("user_id"))
    if user is None or user.deleted or user.is_external:
        raise SlackError("user_not_found")
    hash_ = arguments.string("hash") or None
    return {"view": workspace.views.publish(user.id, _view(arguments), hash_)}


def _view(arguments: Arguments) -> Any:
    view = arguments.json("view", "invalid_arguments")
    if view is None:
        raise invalid("view", "missing required field: view")
    return view


METHODS: Final = {
    "views.open": Method(open_),
    "views.push": Method(push),
    "views.update": Method(update),
    "views.publish": Method(publish),
}
