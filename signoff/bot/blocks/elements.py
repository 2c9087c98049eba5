"""The elements that stand in blocks: buttons, menus, inputs, images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from signoff.bot.blocks.limits import (
    ALT_TEXT,
    BUTTON_TEXT,
    BUTTON_VALUE,
    CHECKBOX_OPTIONS,
    CONFIRM_BUTTON,
    CONFIRM_TEXT,
    CONFIRM_TITLE,
    ID,
    INPUT_VALUE,
    OPTION_TEXT,
    OPTION_VALUE,
    OVERFLOW_OPTIONS,
    PLACEHOLDER,
    SELECT_OPTIONS,
)
from signoff.bot.blocks.rich import rich_text
from signoff.bot.blocks.rules import (
    Check,
    Rule,
    Shape,
    any_url,
    boolean,
    integer,
    items,
    matching,
    once,
    one_of,
    plain,
    string,
    text,
    web_url,
)

_number = matching(r"-?\d+(\.\d+)?", "a number, written as a string", 100)
_strings = items(string(ID), 0, 1_000)
_slack_file = Shape({"id": string(ID), "url": web_url}, one_of=("id", "url"))
_dispatch = Shape(
    {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), 1, 2)},
    ("trigger_actions_on",),
)
_confirm = Shape(
    {
        "title": plain(CONFIRM_TITLE),
        "text": text(CONFIRM_TEXT),
        "confirm": plain(CONFIRM_BUTTON),
        "deny": plain(CONFIRM_BUTTON),
        "style": one_of("primary", "danger"),
    },
    ("title", "text", "confirm", "deny"),
)


def _option(words: Rule, **more: Rule) -> Rule:
    value = string(OPTION_VALUE)
    return Shape({"text": words, "value": value, "description": words, **more}, ("text", "value"))


_plain_option = _option(plain(OPTION_TEXT))
_rich_option = _option(text(OPTION_TEXT))
_group = Shape(
    {"label": plain(OPTION_TEXT), "options": items(_plain_option, 1, SELECT_OPTIONS)}, ("label", "options")
)

SUGGESTED: Final = Shape(
    {"options": items(_plain_option, 0, SELECT_OPTIONS), "option_groups": items(_group, 0, SELECT_OPTIONS)}
)
"""What an app answers for an external select, which may be nothing."""


def options_of(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every option of an element, those in its option groups too; what is malformed is left out."""
    lists, groups = [element.get("options")], element.get("option_groups")
    if isinstance(groups, list):
        lists += [group.get("options") for group in groups if isinstance(group, dict)]
    for options in lists:
        if isinstance(options, list):
            yield from (option for option in options if isinstance(option, dict))


def _initial_options(check: Check, element: Any, at: str) -> None:
    if element.get("options") and element.get("option_groups"):
        check.add(at, "options and option_groups cannot both be given")
    chosen = [("initial_option", element.get("initial_option"))]
    several = element.get("initial_options")
    chosen += [
        (f"initial_options/{i}", o) for i, o in enumerate(several if isinstance(several, list) else [])
    ]
    known = [(o.get("value"), o.get("text")) for o in options_of(element)]
    for name, option in chosen:
        if isinstance(option, dict) and (option.get("value"), option.get("text")) not in known:
            check.add(f"{at}/{name}", "must match one of the options")


def _lengths(check: Check, element: Any, at: str) -> None:
    least, most, initial = (element.get(n) for n in ("min_length", "max_length", "initial_value"))
    if isinstance(least, int) and isinstance(most, int) and least > most:
        check.add(f"{at}/min_length", "must not exceed max_length")
    if isinstance(initial, str) and isinstance(most, int) and len(initial) > most:
        check.add(f"{at}/initial_value", "must not be longer than max_length")


def _bounds(check: Check, element: Any, at: str) -> None:
    try:
        least, most, initial = (
            float(element[n]) if element.get(n) is not None else None
            for n in ("min_value", "max_value", "initial_value")
        )
    except (TypeError, ValueError, OverflowError):
        return  # already reported as not a number
    if least is not None and most is not None and least > most:
        check.add(f"{at}/min_value", "must not exceed max_value")
    if initial is not None and (
        (least is not None and initial < least) or (most is not None and initial > most)
    ):
        check.add(f"{at}/initial_value", "must be between min_value and max_value")


def _focus(check: Check, value: Any, at: str) -> None:
    boolean(check, value, at)
    if value is True and check.focused:
        check.add(at, "only one element can have focus_on_load")
    check.focused = check.focused or value is True


_action_id = once(string(ID), "action_ids", "action_id must be unique within its block")


def image(**more: Rule) -> Shape:
    """An image, as an element or (with a title and a block_id) as a block."""
    fields: dict[str, Rule] = {
        "image_url": web_url,
        "slack_file": _slack_file,
        "alt_text": string(ALT_TEXT),
        **more,
    }
    return Shape(fields, ("alt_text",), ("image_url", "slack_file"))


def _element(required: tuple[str, ...] = (), also: Rule | None = None, **fields: Rule) -> Shape:
    common: dict[str, Rule] = {"action_id": _action_id, "confirm": _confirm, "focus_on_load": _focus}
    one = ("options", "option_groups") if "option_groups" in fields else ()
    return Shape(common | fields, required, one, also)


def _chooser(*names: str, **fields: Rule) -> dict[str, Rule]:
    """A select menu and its multi_ variant: they differ in how the initial choice is given."""
    kind, one, several = names
    value: Rule = _plain_option if one == "initial_option" else string(ID)
    fields["placeholder"] = plain(PLACEHOLDER)
    also = _initial_options if kind == "static_select" else None
    first, many, most = {one: value}, {several: items(value, 1, SELECT_OPTIONS)}, integer(1, SELECT_OPTIONS)
    return {
        kind: _element((), also, **fields, **first),
        f"multi_{kind}": _element((), also, **fields, **many, max_selected_items=most),
    }


_query = {"min_query_length": integer(0, 1_000)}
_conversation: dict[str, Rule] = {
    "default_to_current_conversation": boolean,
    "response_url_enabled": boolean,
    "filter": Shape(
        {
            "include": items(one_of("im", "mpim", "private", "public"), 1, 4),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        }
    ),
}
_static: dict[str, Rule] = {
    "options": items(_plain_option, 1, SELECT_OPTIONS),
    "option_groups": items(_group, 1, SELECT_OPTIONS),
}
_selects: dict[str, Rule] = {
    **_chooser("static_select", "initial_option", "initial_options", **_static),
    **_chooser("external_select", "initial_option", "initial_options", **_query),
    **_chooser("users_select", "initial_user", "initial_users"),
    **_chooser("conversations_select", "initial_conversation", "initial_conversations", **_conversation),
    **_chooser("channels_select", "initial_channel", "initial_channels", response_url_enabled=boolean),
}
_choices = items(_rich_option, 1, CHECKBOX_OPTIONS)
_placeholder = plain(PLACEHOLDER)
_text_input: dict[str, Rule] = {"placeholder": _placeholder, "dispatch_action_config": _dispatch}
_feedback = Shape(
    {"text": plain(BUTTON_TEXT), "value": string(BUTTON_VALUE), "accessibility_label": string(BUTTON_TEXT)},
    ("text", "value"),
)
_button: dict[str, Rule] = {
    "text": plain(BUTTON_TEXT),
    "value": string(BUTTON_VALUE, 0),
    "accessibility_label": string(BUTTON_TEXT),
    "visible_to_user_ids": _strings,
}


ELEMENTS: Final[dict[str, Rule]] = {
    "button": _element(("text",), **_button, url=any_url, style=one_of("primary", "danger")),
    "checkboxes": _element(("options",), _initial_options, options=_choices, initial_options=_choices),
    "radio_buttons": _element(("options",), _initial_options, options=_choices, initial_option=_rich_option),
    "overflow": _element(
        ("options",), options=items(_option(plain(OPTION_TEXT), url=any_url), 1, OVERFLOW_OPTIONS)
    ),
    "datepicker": _element(
        initial_date=matching(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "a date, YYYY-MM-DD"),
        placeholder=_placeholder,
    ),
    "timepicker": _element(
        initial_time=matching(r"([01]\d|2[0-3]):[0-5]\d", "a time, HH:mm"),
        placeholder=_placeholder,
        timezone=string(ID),
    ),
    "datetimepicker": _element(initial_date_time=integer(1_000_000_000, 9_999_999_999)),
    "plain_text_input": _element(
        (),
        _lengths,
        **_text_input,
        initial_value=string(INPUT_VALUE, 0),
        multiline=boolean,
        min_length=integer(0, INPUT_VALUE),
        max_length=integer(1, INPUT_VALUE),
    ),
    "email_text_input": _element((), None, **_text_input, initial_value=string(INPUT_VALUE)),
    "url_text_input": _element((), None, **_text_input, initial_value=any_url),
    "number_input": _element(
        ("is_decimal_allowed",),
        _bounds,
        **_text_input,
        is_decimal_allowed=boolean,
        initial_value=_number,
        min_value=_number,
        max_value=_number,
    ),
    "rich_text_input": _element((), None, **_text_input, initial_value=rich_text),
    "file_input": _element(filetypes=_strings, max_files=integer(1, 10)),
    "image": image(),
    "feedback_buttons": _element(
        ("positive_button", "negative_button"), positive_button=_feedback, negative_button=_feedback
    ),
    "icon_button": _element(("icon", "text"), **_button, icon=one_of("trash")),
    **_selects,
}
IN_ACTIONS: Final = (
    "button",
    "checkboxes",
    "radio_buttons",
    "overflow",
    "datepicker",
    "timepicker",
    "datetimepicker",
    *_selects,
)
IN_SECTION: Final = (*(name for name in IN_ACTIONS if name != "datetimepicker"), "image")
IN_INPUT: Final = (
    "plain_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "rich_text_input",
    "file_input",
    *(name for name in IN_ACTIONS if name not in ("button", "overflow")),
)
