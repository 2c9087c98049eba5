"""What the app offers to people: its commands and shortcuts, named and shaped as in a manifest's `features`.

The stand-in does not need them: any command or callback_id is sent to the app. The page lists them.
`POST /sandbox/team {"features": {…}}` sets those of another app.
"""

from __future__ import annotations

from typing import Any, Final

from signoff.sandbox.errors import ActError

JSON = dict[str, Any]
DEFAULT: Final[JSON] = {
    "app_home": {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": True,
    },
    "slash_commands": [
        {
            "command": "/approvals",
            "description": "What waits for your decision",
            "usage_hint": "pending | mine | show ID | history | help",
            "should_escape": True,
        }
    ],
    "shortcuts": [
        {
            "name": "Pending approvals",
            "type": "global",
            "callback_id": "pending",
            "description": "What waits for your decision",
        },
        {
            "name": "Decide…",
            "type": "message",
            "callback_id": "decide",
            "description": "Review what a card asks for",
        },
    ],
}
"""Signoff's own; a test holds them against its manifest."""
_COMMAND: Final = ("command", "description", "usage_hint", "should_escape", "url")
_SHORTCUT: Final = ("name", "type", "callback_id", "description")


def checked(features: Any) -> JSON:
    """A manifest's `features`, so far as a page shows them. Raises ActError."""
    if not isinstance(features, dict):
        raise ActError("invalid_team", detail="features is an object, as in a manifest")
    home = features.get("app_home", DEFAULT["app_home"])
    if not isinstance(home, dict) or not all(isinstance(flag, bool) for flag in home.values()):
        raise ActError("invalid_team", detail="features/app_home is an object of booleans, as in a manifest")
    return {
        "app_home": home,
        "slash_commands": _listed(features, "slash_commands", "command", _COMMAND),
        "shortcuts": _listed(features, "shortcuts", "callback_id", _SHORTCUT),
    }


def _listed(features: JSON, kind: str, needed: str, names: tuple[str, ...]) -> list[JSON]:
    given = features.get(kind, [])
    if not isinstance(given, list):
        raise ActError("invalid_team", detail=f"features/{kind} is an array")
    for item in given:
        if not isinstance(item, dict) or not isinstance(item.get(needed), str) or item.keys() - {*names}:
            raise ActError("invalid_team", detail=f"features/{kind}: {', '.join(names)}; {needed} is needed")
        if not all(
            isinstance(value, bool if name == "should_escape" else str) for name, value in item.items()
        ):
            raise ActError("invalid_team", detail=f"features/{kind}: a value of the wrong type")
    return given
