"""What a Web API method is to the stand-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signoff.sandbox.arguments import Arguments
from signoff.sandbox.errors import SlackError
from signoff.sandbox.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Method:
    """Its work, the bot scope it needs ("" for none); whether it takes the app token instead, or none."""

    function: Callable[[Workspace, Arguments], dict[str, Any]]
    scope: str = ""
    app_token: bool = False
    public: bool = False


def need(workspace: Workspace, scope: str) -> None:
    """Raise missing_scope unless the bot token has this scope."""
    if scope not in workspace.scopes:
        raise SlackError("missing_scope", needed=scope, provided=",".join(workspace.scopes))
