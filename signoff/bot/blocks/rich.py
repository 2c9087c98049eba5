"""rich_text: paragraphs, lists, preformatted text and quotes, and what stands in them."""

from __future__ import annotations

from typing import Final

from signoff.bot.blocks.limits import ID, RICH_ITEMS, RICH_TEXT, URL
from signoff.bot.blocks.rules import Rule, Shape, any_url, boolean, integer, items, one_of, string, typed

_style = Shape(
    {
        name: boolean
        for name in ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight")
    }
)
_INLINE: Final[dict[str, Rule]] = {
    "text": Shape({"text": string(RICH_TEXT), "style": _style}, ("text",)),
    "link": Shape(
        {"url": any_url, "text": string(RICH_TEXT), "unsafe": boolean, "style": _style},
        ("url",),
    ),
    "emoji": Shape({"name": string(ID), "unicode": string(ID), "style": _style}, ("name",)),
    "user": Shape({"user_id": string(ID), "style": _style}, ("user_id",)),
    "usergroup": Shape({"usergroup_id": string(ID), "style": _style}, ("usergroup_id",)),
    "channel": Shape({"channel_id": string(ID), "style": _style}, ("channel_id",)),
    "team": Shape({"team_id": string(ID), "style": _style}, ("team_id",)),
    "date": Shape(
        {
            "timestamp": integer(0, 10**10),
            "format": string(ID),
            "url": any_url,
            "fallback": string(URL),
            "style": _style,
        },
        ("timestamp", "format"),
    ),
    "broadcast": Shape({"range": one_of("here", "channel", "everyone"), "style": _style}, ("range",)),
    "color": Shape({"value": string(ID), "style": _style}, ("value",)),
}
_inline = items(typed(_INLINE), 1, RICH_ITEMS)
_plain_inline = items(typed(_INLINE, "text", "link"), 1, RICH_ITEMS)
_border = integer(0, 1)
_PARTS: Final[dict[str, Rule]] = {
    "rich_text_section": Shape({"elements": _inline}, ("elements",)),
    "rich_text_preformatted": Shape(
        {"elements": _plain_inline, "border": _border, "language": string(ID)}, ("elements",)
    ),
    "rich_text_quote": Shape({"elements": _inline, "border": _border}, ("elements",)),
}
_PARTS["rich_text_list"] = Shape(
    {
        "elements": items(typed(_PARTS, "rich_text_section"), 1, RICH_ITEMS),
        "style": one_of("bullet", "ordered"),
        "indent": integer(0, 8),
        "offset": integer(0, 10**6),
        "border": _border,
    },
    ("elements", "style"),
)
rich_parts: Final = items(typed(_PARTS), 1, RICH_ITEMS)
"""What a rich_text holds as its `elements`."""
rich_text: Final = typed(
    {"rich_text": Shape({"elements": rich_parts, "block_id": string(ID)}, ("elements",))}
)
"""A rich_text object that is no block: a table's cell or an input's initial value."""
