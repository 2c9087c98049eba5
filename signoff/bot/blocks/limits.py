"""How much Slack takes. Characters, unless the name says items or bytes.

From Slack's Block Kit reference and the models of slack_sdk; where Slack publishes no figure it says so.
"""

from __future__ import annotations

from typing import Final

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
MESSAGE_TOTAL: Final = 10_000
"""Characters over all blocks of a message to stay within. Slack publishes no figure."""
MESSAGE_TOTAL_REFUSED: Final = 11_000
"""From here on `msg_blocks_too_long`: rich_text was refused at 11,341, other blocks above 12,000."""
HEADER_COUNTS: Final = 100
"""Characters that a header block counts beside its text, as far as refusals tell."""
MESSAGE_TEXT: Final = 4_000
"""Bytes of UTF-8 that chat.update and chat.postEphemeral take as `text`; chat.postMessage cuts at
`POSTED_TEXT`."""
POSTED_TEXT: Final = 40_000
METADATA_BYTES: Final = 16_000
"""Of a message's metadata, as JSON. Slack publishes no figure; this one is ours."""
VIEW_BYTES: Final = 250_000
TEXT: Final = 3_000
SECTION_TEXT: Final = 3_000
SECTION_FIELDS: Final = 10
FIELD_TEXT: Final = 2_000
HEADER_TEXT: Final = 150
CONTEXT_ELEMENTS: Final = 10
ACTIONS_ELEMENTS: Final = 25
CONTEXT_ACTIONS_ELEMENTS: Final = 5
MARKDOWN_TEXT: Final = 12_000
TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 20
DATA_TABLE_ROWS: Final = 100
"""Beside the header."""
DATA_TABLE_TEXT: Final = 20_000
"""Characters over all cells."""
DATA_TABLE_PAGE: Final = 5
"""Rows that are seen at once where `page_size` does not say it: so it never shows the whole."""
LABEL: Final = 2_000
PLACEHOLDER: Final = 150
INPUT_VALUE: Final = 3_000
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2_000
URL: Final = 3_000
ALT_TEXT: Final = 2_000
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
SELECT_OPTIONS: Final = 100
CHECKBOX_OPTIONS: Final = 10
OVERFLOW_OPTIONS: Final = 5
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
ID: Final = 255
"""block_id, action_id, callback_id and external_id."""
VIEW_TITLE: Final = 24
"""A modal's title, submit and close."""
PRIVATE_METADATA: Final = 3_000
VIEW_STACK: Final = 3
RICH_TEXT: Final = 13_000
"""One text element of a rich_text block. Slack publishes no figure; the message's total catches it anyway."""
RICH_ITEMS: Final = 1_000
"""Elements of one part of a rich_text block. Slack publishes no figure."""
ALERT_TEXT: Final = 200
CARD_TITLE: Final = 150
CARD_BODY: Final = 200
CAROUSEL_CARDS: Final = 10
CONTAINER_BLOCKS: Final = 10
VIDEO_TITLE: Final = 200
VIDEO_AUTHOR: Final = 50
FRAME_BYTES: Final = 20_480
"""Of a frame that an app sends over Socket Mode. Above, Slack cuts the connection (1009)."""
