"""Messages, modals and Homes that Slack takes, and others that it refuses.

What is right is what Slack's reference of Block Kit says and, where that is silent, what Slack was seen to
refuse (ids that are not unique, all blocks together). Numbers in a name are the limit that it touches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

JSON = dict[str, Any]


class Case(NamedTuple):
    """What it is, where it would stand (message, modal, home), and the blocks or the view."""

    name: str
    surface: str
    thing: Any


def plain(text: str = "x") -> JSON:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> JSON:
    return {"type": "mrkdwn", "text": text}


def options(count: int, text: str = "x", value: str = "") -> list[JSON]:
    return [{"text": plain(text), "value": value or str(number)} for number in range(count)]


def section(**more: Any) -> JSON:
    return {"type": "section", "text": mrkdwn()} | more


def button(**more: Any) -> JSON:
    return {"type": "button", "text": plain(), "action_id": "b", **more}


def actions(*elements: JSON, **more: Any) -> JSON:
    return {"type": "actions", "elements": list(elements), **more}


def menu(**more: Any) -> JSON:
    return {"type": "static_select", "action_id": "m", "options": options(2), **more}


def one(kind: str, **more: Any) -> JSON:
    return actions({"type": kind, "action_id": "e", **more})


def field(kind: str = "plain_text_input", **more: Any) -> JSON:
    return {"type": "input", "label": plain(), "element": {"type": kind, "action_id": "i", **more}}


def confirm(**more: Any) -> JSON:
    return {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), **more}


def rich(*parts: JSON) -> JSON:
    return {"type": "rich_text", "elements": list(parts)}


def part(kind: str, *inside: JSON, **more: Any) -> JSON:
    return {"type": f"rich_text_{kind}", "elements": list(inside), **more}


def words(text: str = "x") -> JSON:
    return {"type": "text", "text": text}


def table(rows: int, columns: int) -> JSON:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def message(name: str, *blocks: Any) -> Case:
    return Case(name, "message", list(blocks))


def modal(name: str, *blocks: Any, view: JSON | None = None) -> Case:
    whole = {"type": "modal", "title": plain(), "submit": plain(), "blocks": list(blocks)}
    return Case(name, "modal", whole | (view or {}))


def home(name: str, *blocks: Any, view: JSON | None = None) -> Case:
    return Case(name, "home", {"type": "home", "blocks": list(blocks), **(view or {})})


TITLES = ("title", "submit", "close")
IMAGE: JSON = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}
LINE: JSON = {"type": "divider"}

VALID = [
    message("a section of 3000", section(text=plain("x" * 3000))),
    message("a section with ten fields of 2000", {"type": "section", "fields": [mrkdwn("x" * 1000)] * 10}),
    message("a field of 2000", {"type": "section", "fields": [plain("x" * 2000)]}),
    message("a section that stays open", section(expand=True)),
    message("a section with a button", section(accessory=button(style="danger", value="x" * 2000))),
    message("a section with an image", section(accessory=IMAGE)),
    message("a button that asks first", actions(button(confirm=confirm(style="primary")))),
    message("a button with an empty value", actions(button(value=""))),
    message("twenty-five buttons", actions(*[button(action_id=str(n)) for n in range(25)])),
    message("a button of 75", actions(button(text=plain("x" * 75)))),
    message("a header of 150", {"type": "header", "text": plain("x" * 150)}),
    message("a context of ten", {"type": "context", "elements": [mrkdwn(), IMAGE] * 5}),
    message("an image with a title", {**IMAGE, "title": plain()}),
    message("fifty blocks", *[LINE] * 50),
    message("a menu of 100", actions(menu(options=options(100)))),
    message("a menu with a choice made", actions(menu(initial_option=options(1)[0]))),
    message(
        "a menu of groups", one("static_select", option_groups=[{"label": plain(), "options": options(1)}])
    ),
    message("options of 75 with values of 150", one("overflow", options=options(1, "x" * 75, "v" * 150))),
    message("an overflow of five", one("overflow", options=options(5))),
    message("a placeholder of 150", actions(menu(placeholder=plain("x" * 150)))),
    message(
        "a question of 300", actions(button(confirm=confirm(text=plain("x" * 300), title=plain("x" * 100))))
    ),
    message("a question with buttons of 30", actions(button(confirm=confirm(confirm=plain("x" * 30))))),
    message(
        "a URL of 3000", actions(button(url="https://e.com/" + "x" * 2986, accessibility_label="x" * 75))
    ),
    message("an image with words of 2000", {**IMAGE, "alt_text": "x" * 2000}),
    message("a context of 3000 characters", {"type": "context", "elements": [mrkdwn("x" * 3000)]}),
    message("a card of 150 and 200", {"type": "card", "title": mrkdwn("x" * 150), "body": mrkdwn("x" * 200)}),
    message("an overflow of one", one("overflow", options=options(1))),
    message("ten checkboxes", one("checkboxes", options=options(10))),
    message("checkboxes with marked-up words", one("checkboxes", options=[{"text": mrkdwn(), "value": "v"}])),
    message("an external select", one("external_select", min_query_length=0)),
    message(
        "a date and a time",
        one("datepicker", initial_date="2026-02-28"),
        one("timepicker", initial_time="23:59"),
    ),
    message("people to choose", one("multi_users_select", initial_users=["U1"], max_selected_items=2)),
    message(
        "rich text", rich(part("section", words()), part("preformatted", words()), part("quote", words()))
    ),
    message("a list in rich text", rich(part("list", part("section", words()), style="bullet", indent=1))),
    message("markdown of 12000", {"type": "markdown", "text": "x" * 12_000}),
    message("a table of 100 by 20", table(100, 20)),
    message("an input in a message", field()),
    modal("a title, a submit and a close of 24", LINE, view=dict.fromkeys(TITLES, plain("x" * 24))),
    modal("a label and a hint of 2000", {**field(), "label": plain("x" * 2000), "hint": plain("x" * 2000)}),
    modal(
        "ids of 255", section(block_id="b" * 255), view={"callback_id": "c" * 255, "external_id": "e" * 255}
    ),
    modal("an input of 3000", field(min_length=1, max_length=3000, initial_value="x" * 3000)),
    modal(
        "a number with bounds",
        field("number_input", is_decimal_allowed=True, min_value="-1", max_value="9.5"),
    ),
    modal("an e-mail and a file", field("email_text_input"), field("file_input", max_files=10)),
    modal("a modal without inputs needs no submit", section(), view={"submit": None}),
    modal("a hundred blocks", *[LINE] * 100),
    modal("private metadata of 3000", LINE, view={"private_metadata": "x" * 3000}),
    modal("an alert of 200", {"type": "alert", "text": mrkdwn("x" * 200), "level": "info"}),
    home("a Home", section(), actions(button()), view={"callback_id": "home"}),
    home("a Home of a hundred blocks", *[LINE] * 100),
]
INVALID = [
    message("a section of 3001", section(text=plain("x" * 3001))),
    message("a section without words", section(text=mrkdwn(""))),
    message("a section without anything", {"type": "section"}),
    message("a section of bare words", section(text="x")),
    message("eleven fields", {"type": "section", "fields": [plain()] * 11}),
    message("a field of 2001", {"type": "section", "fields": [plain("x" * 2001)]}),
    message("a section with an input", section(accessory={"type": "plain_text_input", "action_id": "a"})),
    message("a section with an unknown field", section(colour="red")),
    message("emoji in mrkdwn", section(text={"type": "mrkdwn", "text": "x", "emoji": True})),
    message("verbatim in plain text", section(text={"type": "plain_text", "text": "x", "verbatim": True})),
    message("a block_id of 256", section(block_id="b" * 256)),
    message("two blocks with one block_id", section(block_id="same"), section(block_id="same")),
    message("fifty-one blocks", *[LINE] * 51),
    message("blocks of 14000 together", *[section(text=plain("x" * 2800))] * 5),
    message("an unknown block", {"type": "nonsense"}),
    message("a block without type", {"text": plain()}),
    message("a header of 151", {"type": "header", "text": plain("x" * 151)}),
    message("a header in mrkdwn", {"type": "header", "text": mrkdwn()}),
    message("a context of eleven", {"type": "context", "elements": [plain()] * 11}),
    message("a context of 3001 characters", {"type": "context", "elements": [mrkdwn("x" * 3001)]}),
    message("a card with a title of 151", {"type": "card", "title": mrkdwn("x" * 151)}),
    message("a card with a body of 201", {"type": "card", "body": mrkdwn("x" * 201)}),
    message("a context of none", {"type": "context", "elements": []}),
    message("a button in a context", {"type": "context", "elements": [button()]}),
    message("an image without words", {"type": "image", "image_url": "https://example.com/a.png"}),
    message("an image with words of 2001", {**IMAGE, "alt_text": "x" * 2001}),
    message("an image from nowhere", {"type": "image", "alt_text": "a"}),
    message("an image that is a script", {**IMAGE, "image_url": "javascript:alert(1)"}),
    message("twenty-six buttons", actions(*[button(action_id=str(n)) for n in range(26)])),
    message("actions of none", actions()),
    message("two buttons with one action_id", actions(button(), button())),
    message("an action_id of 256", actions(button(action_id="a" * 256))),
    message("a button of 76", actions(button(text=plain("x" * 76)))),
    message("a button in mrkdwn", actions(button(text=mrkdwn()))),
    message("a button with a value of 2001", actions(button(value="x" * 2001))),
    message("a button with an unknown style", actions(button(style="default"))),
    message("a button with a URL of 3001", actions(button(url="https://e.com/" + "x" * 2987))),
    message("a button read out in 76", actions(button(accessibility_label="x" * 76))),
    message("a question with a title of 101", actions(button(confirm=confirm(title=plain("x" * 101))))),
    message("a question of 301", actions(button(confirm=confirm(text=plain("x" * 301))))),
    message("a question with a button of 31", actions(button(confirm=confirm(deny=plain("x" * 31))))),
    message("a question without buttons", actions(button(confirm={"title": plain(), "text": plain()}))),
    message("an overflow of six", one("overflow", options=options(6))),
    message("an overflow of none", one("overflow", options=[])),
    message("a menu of 101", actions(menu(options=options(101)))),
    message("a menu of nothing", one("static_select")),
    message(
        "a menu of options and groups",
        actions(menu(option_groups=[{"label": plain(), "options": options(1)}])),
    ),
    message("an option of 76", actions(menu(options=options(1, "x" * 76)))),
    message("an option with a value of 151", actions(menu(options=options(1, "x", "v" * 151)))),
    message("an option in mrkdwn", actions(menu(options=[{"text": mrkdwn(), "value": "v"}]))),
    message("a choice that is not offered", actions(menu(initial_option=options(1, "other", "none")[0]))),
    message("a placeholder of 151", actions(menu(placeholder=plain("x" * 151)))),
    message("eleven checkboxes", one("checkboxes", options=options(11))),
    message("eleven radio buttons", one("radio_buttons", options=options(11))),
    message("the 32nd of January", one("datepicker", initial_date="2026-01-32")),
    message("24 o'clock", one("timepicker", initial_time="24:00")),
    message("an input among actions", one("plain_text_input")),
    message("markdown of 12001", {"type": "markdown", "text": "x" * 12_001}),
    message("markdown of 12001 in two blocks", *[{"type": "markdown", "text": "x" * 6_001}] * 2),
    message("a table of 101 rows", table(101, 1)),
    message("a table of 21 columns", table(1, 21)),
    message("two tables", table(1, 1), table(1, 1)),
    message("rich text of nothing", rich()),
    message("rich text without words", rich(part("section", words("")))),
    message("a mention in preformatted text", rich(part("preformatted", {"type": "user", "user_id": "U1"}))),
    message("a list of bare words", rich(part("list", words(), style="bullet"))),
    message("a list without a style", rich(part("list", part("section", words())))),
    message("an alert in a message", {"type": "alert", "text": mrkdwn()}),
    modal("an alert of 201", {"type": "alert", "text": mrkdwn("x" * 201)}),
    modal("a title of 25", LINE, view={"title": plain("x" * 25)}),
    modal("a modal without a title", LINE, view={"title": None}),
    modal("a title in mrkdwn", LINE, view={"title": mrkdwn()}),
    modal("a submit of 25", LINE, view={"submit": plain("x" * 25)}),
    modal("a close of 25", LINE, view={"close": plain("x" * 25)}),
    modal("private metadata of 3001", LINE, view={"private_metadata": "x" * 3001}),
    modal("a callback_id of 256", LINE, view={"callback_id": "x" * 256}),
    modal("inputs without submit", field(), view={"submit": None}),
    modal("101 blocks", *[LINE] * 101),
    modal("a modal of nothing"),
    modal("an input that holds a button", field("button", text=plain())),
    modal("a label of 2001", {**field(), "label": plain("x" * 2001)}),
    modal("a label in mrkdwn", {**field(), "label": mrkdwn()}),
    modal("an input of 3001", field(max_length=3001)),
    modal("an input that begins with 3001", field(initial_value="x" * 3001)),
    modal("an input of at least 5 and at most 4", field(min_length=5, max_length=4)),
    modal("a number that may be anything", field("number_input")),
    modal(
        "a number that begins above its bound",
        field("number_input", is_decimal_allowed=False, max_value="1", initial_value="2"),
    ),
    modal("markdown in a modal", {"type": "markdown", "text": "x"}),
    modal("a table in a modal", table(1, 1)),
    modal("two elements that want the focus", field(focus_on_load=True), field(focus_on_load=True)),
    home("101 blocks on a Home", *[LINE] * 101),
    home("a Home with a submit", LINE, view={"submit": plain()}),
    home("a file input on a Home", field("file_input")),
    home("an alert on a Home", {"type": "alert", "text": mrkdwn()}),
]
