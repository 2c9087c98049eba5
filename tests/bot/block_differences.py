"""Where other libraries judge a case of `block_cases.py` otherwise than Slack does, and why.

Found with slack_sdk 3.47, blockkit 2.1 and slackblocks 3.0. Nearly all are things that they take and Slack
refuses: they are made for building, so they check parts, and mend what they can; a checker may do neither.
"""

from __future__ import annotations

from typing import Final

TOO_LENIENT: Final[list[tuple[str, str, tuple[str, ...]]]] = [
    (
        "slack_sdk",
        "it does not count these, though Slack's reference gives the number",
        (
            "a field of 2001",
            "fifty-one blocks",
            "an option of 76",
            "an option with a value of 151",
            "eleven checkboxes",
            "eleven radio buttons",
            "a table of 101 rows",
            "a table of 21 columns",
            "an input of 3001",
            "an input that begins with 3001",
            "a context of 3001 characters",
            "an alert of 201",
        ),
    ),
    (
        "blockkit",
        "a field's text is held to a section's 3,000, though a field holds 2,000",
        ("a field of 2001",),
    ),
    (
        "blockkit",
        "it sets no number for fields, nor for a message's blocks",
        ("eleven fields", "fifty-one blocks"),
    ),
    ("blockkit", "it counts a table's rows only", ("a table of 21 columns",)),
    (
        "slackblocks",
        "it does not count an initial value",
        ("an input that begins with 3001",),
    ),
    (
        "slack_sdk",
        "it looks at each part alone; what only two parts together break, it does not see",
        (
            "two blocks with one block_id",
            "two buttons with one action_id",
            "blocks of 14000 together",
            "markdown of 12001 in two blocks",
            "two tables",
            "two elements that want the focus",
            "inputs without submit",
            "a choice that is not offered",
            "an input of at least 5 and at most 4",
            "a number that begins above its bound",
        ),
    ),
    (
        "blockkit",
        "it looks at each part alone; what only two parts together break, it does not see",
        (
            "two blocks with one block_id",
            "two buttons with one action_id",
            "blocks of 14000 together",
            "markdown of 12001 in two blocks",
            "two tables",
            "two elements that want the focus",
            "inputs without submit",
            "an input of at least 5 and at most 4",
        ),
    ),
    (
        "slackblocks",
        "it looks at few things together: totals of markdown, and submit; not at these",
        (
            "two blocks with one block_id",
            "two buttons with one action_id",
            "blocks of 14000 together",
            "two tables",
            "two elements that want the focus",
            "a choice that is not offered",
            "a number that begins above its bound",
        ),
    ),
    (
        "slack_sdk",
        "it keeps whatever kind of text is given where Slack takes plain_text alone",
        (
            "a header in mrkdwn",
            "a button in mrkdwn",
            "an option in mrkdwn",
            "a title in mrkdwn",
            "a label in mrkdwn",
        ),
    ),
    (
        "blockkit",
        "it makes plain text of it: what it would send is right, what was given is not",
        (
            "a section of bare words",
            "a header in mrkdwn",
            "a button in mrkdwn",
            "an option in mrkdwn",
            "a title in mrkdwn",
            "a label in mrkdwn",
            "emoji in mrkdwn",
        ),
    ),
    (
        "slackblocks",
        "it makes the right text of it: what it would send is right, what was given is not",
        (
            "a section of bare words",
            "a header in mrkdwn",
            "a button in mrkdwn",
            "a title in mrkdwn",
            "a label in mrkdwn",
            "emoji in mrkdwn",
            "verbatim in plain text",
        ),
    ),
    (
        "slack_sdk",
        "it makes mrkdwn of bare words: right to send, not what was given",
        ("a section of bare words",),
    ),
    (
        "slack_sdk",
        "it writes only the fields it knows: another is dropped",
        ("a section with an unknown field",),
    ),
    ("slack_sdk", "it fills in buttons of its own", ("a question without buttons",)),
    ("slackblocks", "it fills in a blank as alt_text, which nobody can hear", ("an image without words",)),
    (
        "slack_sdk",
        "it leaves out what is empty, and does not miss it afterwards",
        (
            "a section without words",
            "a context of none",
            "actions of none",
            "rich text of nothing",
            "rich text without words",
        ),
    ),
    (
        "blockkit",
        "it leaves an empty list out, and does not miss it afterwards",
        (
            "a context of none",
            "actions of none",
            "an overflow of none",
            "rich text of nothing",
            "a modal of nothing",
        ),
    ),
    (
        "slackblocks",
        "it asks for no least number here",
        (
            "a context of none",
            "actions of none",
            "a menu of nothing",
            "rich text without words",
            "a modal of nothing",
        ),
    ),
    (
        "slack_sdk",
        "it takes any element where Slack's reference names a few",
        (
            "a section with an input",
            "a button in a context",
            "an input among actions",
            "a mention in preformatted text",
            "a list of bare words",
        ),
    ),
    (
        "blockkit",
        "it takes any inline element where Slack names text and links",
        ("a mention in preformatted text",),
    ),
    (
        "slackblocks",
        "it takes any element where Slack's reference names a few",
        ("a section with an input", "an input among actions", "a mention in preformatted text"),
    ),
    (
        "slack_sdk",
        "it does not ask for this field, or gives it a value of its own",
        (
            "an image from nowhere",
            "a list without a style",
            "a modal without a title",
            "a number that may be anything",
        ),
    ),
    (
        "slack_sdk",
        "it does not ask on which surface a block stands",
        (
            "an alert in a message",
            "an alert on a Home",
            "markdown in a modal",
            "a table in a modal",
            "a file input on a Home",
        ),
    ),
    ("blockkit", "it asks of blocks where they stand, not of elements", ("a file input on a Home",)),
    ("slackblocks", "it asks of blocks where they stand, not of elements", ("a file input on a Home",)),
    ("slack_sdk", "it counts a URL's characters and does not read it", ("an image that is a script",)),
    ("blockkit", "it counts a URL's characters and does not read it", ("an image that is a script",)),
    ("slackblocks", "it counts a URL's characters and does not read it", ("an image that is a script",)),
    ("slackblocks", "it takes any word for a style", ("a button with an unknown style",)),
]
TOO_STRICT: Final[list[tuple[str, str, tuple[str, ...]]]] = [
    ("blockkit", "an empty value is allowed, and useless", ("a button with an empty value",)),
    ("blockkit", "it holds alt_text to 255; Slack takes 2,000", ("an image with words of 2000",)),
    ("blockkit", "0 is allowed, and asks as soon as the menu opens", ("an external select",)),
    ("blockkit", "it has no word for these newer blocks", ("an alert of 200", "a card of 150 and 200")),
    ("slackblocks", "it has no word for this newer field", ("a section that stays open",)),
]
