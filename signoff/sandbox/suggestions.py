"""External selects: a person types, the app answers with options.

`{"type": "suggest", "user", "view_id" or "channel" and "ts", "action_id", "block_id"?, "value"}` answers the
`options` (and `option_groups`) that the person would see. Choosing one is a click or a part of a submission.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from signoff.bot.blocks import check_options
from signoff.sandbox import act, blocks
from signoff.sandbox.delivery import Delivery
from signoff.sandbox.errors import ActError
from signoff.sandbox.payloads import Payloads
from signoff.sandbox.team import User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_MIN_QUERY_LENGTH: Final = 3
"""Characters typed before Slack's client asks the app, where the element does not say."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The act `suggest`."""

    workspace: Workspace
    app: Delivery
    payloads: Payloads

    async def ask(self, user: User, fields: JSON) -> JSON:
        """What the app suggests for what was typed. An answer that Slack would not show is no answer."""
        value = act.text(fields, "value")
        if fields.get("view_id"):
            view = act.view(self.workspace, user, fields)
            block, element = _typed_in(view["blocks"], fields, value)
            payload = self.payloads.view_suggestion(user, view, block, element, value)
        else:
            channel, message = act.message(self.workspace, user, fields)
            block, element = _typed_in(message.get("blocks", []), fields, value)
            payload = self.payloads.message_suggestion(user, channel, message, block, element, value)
        ack = await self.app.deliver("interactive", payload)
        answer = act.answer(ack)
        if not ack.acked:
            return answer
        problems = check_options(ack.response)
        if problems:
            return answer | {
                "ok": False,
                "error": "invalid_options",
                "problems": [asdict(problem) for problem in problems],
            }
        return {**answer, **ack.response}


def _typed_in(on: list[JSON], fields: JSON, value: str) -> tuple[JSON, JSON]:
    action_id, block_id = act.string(fields, "action_id"), fields.get("block_id")
    for block, element in blocks.elements(on):
        if element["action_id"] == action_id and block_id in (None, block["block_id"]):
            if not element["type"].endswith("external_select"):
                break
            least = element.get("min_query_length", _MIN_QUERY_LENGTH)
            if len(value) < least:
                raise ActError("query_too_short", min_query_length=least)
            return block, element
    raise ActError("no_such_element", 404, action_id=action_id)
