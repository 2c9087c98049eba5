"""What other libraries think of a message, a modal or a Home: each answers whether it takes it.

slack_sdk reads JSON itself. blockkit and slackblocks are builders: what is JSON here is built with their
classes, by the names of Slack's fields, and what a class has no word for is refused. Of these two, only what
is installed judges.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import date, time
from importlib.util import find_spec
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

JSON = dict[str, Any]
Judge = Callable[[str, Any], Any]


class Refused(Exception):
    """The library has no word for it."""


def slack_sdk(surface: str, thing: Any) -> Any:
    """Read with `Block.parse_all` or `View`, and written again, which is when the SDK validates."""
    if surface == "message":
        blocks = [block and block.to_dict() for block in Block.parse_all(thing)]
    else:
        blocks = View(**thing).to_dict()["blocks"]
    if None in blocks:
        raise Refused("a block that is not known is left out")
    return blocks


def blockkit(surface: str, thing: Any) -> Any:
    """Built with blockkit's fluent methods."""
    library = importlib.import_module("blockkit.core")
    if surface == "message":
        built = library.Message().blocks(*[_blockkit(library, block, "blocks") for block in thing]).build()
    else:
        built = _blockkit(library, thing, "").build()
    return built.get("blocks")


def _blockkit(library: Any, value: Any, place: str) -> Any:
    if isinstance(value, list):
        return [_blockkit(library, item, place) for item in value]
    if not isinstance(value, dict):
        return _PYTHON.get(place, lambda kept: kept)(value)
    built = getattr(library, _class(BLOCKKIT, value, place, "ImageEl"))()
    for name, field in value.items():
        if name == "type" and field not in ("plain_text", "mrkdwn"):
            continue
        if not hasattr(built, name):
            raise Refused(f"{type(built).__name__} has no {name}")
        given = _blockkit(library, field, name)
        getattr(built, name)(*given) if isinstance(given, list) else getattr(built, name)(given)
    return built


def slackblocks(surface: str, thing: Any) -> Any:
    """Built with slackblocks' constructors."""
    library = importlib.import_module("slackblocks")
    if surface == "message":
        blocks = [_slackblocks(library, block, "blocks") for block in thing]
        return library.Message(channel="C1", blocks=blocks).to_dict()["blocks"]
    return _slackblocks(library, thing, "").to_dict()["blocks"]


def _slackblocks(library: Any, value: Any, place: str) -> Any:
    if isinstance(value, list):
        return [_slackblocks(library, item, place) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    fields = {name: _slackblocks(library, field, name) for name, field in value.items() if name != "type"}
    if kind in ("plain_text", "mrkdwn"):
        fields["type_"] = library.TextType(kind)
    if kind in ("text", "link", "user"):
        fields |= value.get("style", {})
        fields.pop("style", None)
    if "initial_date_time" in fields:
        fields["initial_datetime"] = fields.pop("initial_date_time")
    return getattr(library, _class(SLACKBLOCKS, value, place, "Image"))(**fields)


def _class(names: dict[str, str], value: JSON, place: str, image: str) -> str:
    kind = value.get("type")
    if kind == "image" and place != "blocks":
        return image
    found = names.get(kind if isinstance(kind, str) else place)
    if found is None:
        raise Refused(f"no class for {kind or place}")
    return found


_PYTHON: dict[str, Callable[[Any], Any]] = {
    "initial_date": date.fromisoformat,
    "initial_time": time.fromisoformat,
    "min_value": float,
    "max_value": float,
}
"""blockkit takes Python's values where Slack's JSON has texts."""
BLOCKKIT = {
    "actions": "Actions",
    "context": "Context",
    "divider": "Divider",
    "header": "Header",
    "image": "Image",
    "input": "Input",
    "markdown": "Markdown",
    "rich_text": "RichText",
    "section": "Section",
    "table": "Table",
    "video": "Video",
    "modal": "Modal",
    "home": "Home",
    "button": "Button",
    "checkboxes": "Checkboxes",
    "radio_buttons": "RadioButtons",
    "overflow": "Overflow",
    "static_select": "StaticSelect",
    "external_select": "ExternalSelect",
    "users_select": "UsersSelect",
    "multi_static_select": "MultiStaticSelect",
    "multi_users_select": "MultiUsersSelect",
    "conversations_select": "ConversationsSelect",
    "datepicker": "DatePicker",
    "timepicker": "TimePicker",
    "datetimepicker": "DatetimePicker",
    "plain_text_input": "PlainTextInput",
    "number_input": "NumberInput",
    "email_text_input": "EmailInput",
    "url_text_input": "UrlInput",
    "file_input": "FileInput",
    "plain_text": "Text",
    "mrkdwn": "Text",
    "raw_text": "RawText",
    "rich_text_section": "RichTextSection",
    "rich_text_list": "RichTextList",
    "rich_text_preformatted": "RichTextPreformatted",
    "rich_text_quote": "RichTextQuote",
    "text": "RichTextEl",
    "link": "RichLinkEl",
    "user": "RichUserEl",
    "confirm": "Confirm",
    "options": "Option",
    "initial_option": "Option",
    "initial_options": "Option",
    "option_groups": "OptionGroup",
    "style": "RichStyle",
    "dispatch_action_config": "DispatchActionConfig",
}
SLACKBLOCKS = {
    "actions": "ActionsBlock",
    "alert": "AlertBlock",
    "card": "CardBlock",
    "context": "ContextBlock",
    "divider": "DividerBlock",
    "header": "HeaderBlock",
    "image": "ImageBlock",
    "input": "InputBlock",
    "markdown": "MarkdownBlock",
    "rich_text": "RichTextBlock",
    "section": "SectionBlock",
    "table": "TableBlock",
    "video": "VideoBlock",
    "modal": "ModalView",
    "home": "HomeTabView",
    "button": "Button",
    "checkboxes": "CheckboxGroup",
    "radio_buttons": "RadioButtonGroup",
    "overflow": "OverflowMenu",
    "static_select": "StaticSelectMenu",
    "external_select": "ExternalSelectMenu",
    "users_select": "UserSelectMenu",
    "multi_static_select": "StaticMultiSelectMenu",
    "multi_users_select": "UserMultiSelectMenu",
    "conversations_select": "ConversationSelectMenu",
    "datepicker": "DatePicker",
    "timepicker": "TimePicker",
    "datetimepicker": "DateTimePicker",
    "plain_text_input": "PlainTextInput",
    "number_input": "NumberInput",
    "email_text_input": "EmailInput",
    "url_text_input": "URLInput",
    "file_input": "FileInput",
    "plain_text": "Text",
    "mrkdwn": "Text",
    "raw_text": "RawText",
    "rich_text_section": "RichTextSection",
    "rich_text_list": "RichTextList",
    "rich_text_preformatted": "RichTextCodeBlock",
    "rich_text_quote": "RichTextQuote",
    "text": "RichText",
    "link": "RichTextLink",
    "user": "RichTextUser",
    "confirm": "Confirm",
    "options": "Option",
    "initial_option": "Option",
    "initial_options": "Option",
    "option_groups": "OptionGroup",
    "dispatch_action_config": "DispatchActionConfiguration",
}
JUDGES: dict[str, Judge] = {"slack_sdk": slack_sdk} | {
    judge.__name__: judge for judge in (blockkit, slackblocks) if find_spec(judge.__name__)
}


def takes(judge: str, surface: str, thing: Any) -> bool:
    """Whether a judge takes it; whatever it raises is a refusal."""
    try:
        JUDGES[judge](surface, thing)
    except Exception:
        return False
    return True
