"""A form that edits, filled in as Slack sends it."""

from typing import Any

from signoff.bot.forms.edit_form import EditForm
from signoff.models.approval import Approval

View = dict[str, Any]
KEY = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "datepicker": ("selected_date", "initial_date"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}


def state_of(view: View) -> dict[str, Any]:
    """What Slack sends when nothing is touched."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            name, initial = KEY.get(element["type"], ("value", "initial_value"))
            values[block["block_id"]] = {"value": {"type": element["type"], name: element.get(initial)}}
    return values


def inputs(view: View) -> dict[str, View]:
    return {block["label"]["text"]: block for block in view["blocks"] if block["type"] == "input"}


def filled(view: View, given: dict[str, Any]) -> dict[str, Any]:
    """The state of a view after somebody has typed `given`, by label."""
    values = state_of(view)
    for label, value in given.items():
        block = inputs(view)[label]
        name = KEY.get(block["element"]["type"], ("value", ""))[0]
        chosen = name == "selected_option" and isinstance(value, str)
        values[block["block_id"]]["value"][name] = _option(block["element"], value) if chosen else value
    return values


def _option(element: View, text: str) -> View:
    """The option of a select that reads so."""
    found: View = next(option for option in element["options"] if option["text"]["text"] == text)
    return found


def typed(asked: Approval, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Fill a form of one page and read it back; errors by label."""
    view = EditForm(asked).view()
    form = EditForm(asked).enter(filled(view, given))
    labels = {block["block_id"]: label for label, block in inputs(view).items()}
    return form.payload, {labels[block_id]: text for block_id, text in form.errors.items()}


def element(asked: Approval, label: str) -> View:
    found: View = inputs(EditForm(asked).view())[label]["element"]
    return found
