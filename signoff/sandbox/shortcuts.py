"""Shortcuts: a global one from the composer or the search, a message shortcut from a message's menu.

`{"type": "shortcut", "user", "callback_id"}` and `{"type": "message_shortcut", "user", "channel", "ts",
"callback_id"}`. People of another organisation have neither: Slack keeps both to the app's own team.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signoff.sandbox import act
from signoff.sandbox.delivery import Delivery
from signoff.sandbox.errors import ActError
from signoff.sandbox.payloads import Payloads
from signoff.sandbox.team import User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """The two acts. The stand-in does not know which shortcuts the app has: any callback_id is sent."""

    workspace: Workspace
    app: Delivery
    payloads: Payloads

    async def anywhere(self, user: User, fields: JSON) -> JSON:
        """A global shortcut."""
        act.of_this_team(user)
        payload = self.payloads.shortcut(user, act.string(fields, "callback_id"))
        return act.answer(await self.app.deliver("interactive", payload, takes_response=False))

    async def on_message(self, user: User, fields: JSON) -> JSON:
        """A message shortcut; replies in a thread have them too, ephemeral messages do not."""
        act.of_this_team(user)
        channel, message = act.message(self.workspace, user, fields)
        if "ephemeral_to" in message:
            raise ActError("no_shortcuts_here", detail="An ephemeral message has no message shortcuts.")
        payload = self.payloads.message_shortcut(user, channel, message, act.string(fields, "callback_id"))
        return act.answer(await self.app.deliver("interactive", payload, takes_response=False))
