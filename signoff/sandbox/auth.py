"""auth.test: whose token this is."""

from __future__ import annotations

from typing import Any, Final

from signoff.sandbox.arguments import Arguments
from signoff.sandbox.method import Method
from signoff.sandbox.team import BOT_ID, BOT_USER_ID, TEAM_ID, TEAM_NAME
from signoff.sandbox.workspace import Workspace


def test(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """auth.test: whose token this is."""
    enterprise_id = workspace.team.enterprise_id
    grid = {"enterprise_id": enterprise_id} if enterprise_id else {}
    return grid | {
        "url": f"{workspace.base_url}/",
        "team": TEAM_NAME,
        "user": workspace.team.users[BOT_USER_ID].name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


METHODS: Final = {"auth.test": Method(test)}
