"""Acknowledgements that are cut down to a frame, and what stands in a modal meanwhile."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_options, check_view
from signoff.bot.forms.loading import NOTICE, again_with, loading_view, not_shown_view
from signoff.bot.listeners.acks import fewer_options, fewer_words
from signoff.bot.slack.frames import ROOM, fits, sent_bytes
from signoff.bot.text.words import opening

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=75)


def option(text: str, value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value}


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=100), wide=st.sampled_from(["", "ж" * 74, "😀" * 74]))
def test_options_fit_and_are_as_many_as_do(texts: list[str], wide: str) -> None:
    options = [option((text[:1] + wide)[:75], str(at)) for at, text in enumerate(texts)]
    answer = fewer_options(options)
    assert fits(answer) and check_options(answer) == []
    (group,) = answer["option_groups"]
    shown = group["options"]
    assert shown == options[: len(shown)]
    assert group["label"]["text"] == opening.first_options(len(shown)) and len(group["label"]["text"]) <= 75
    if len(shown) < len(options):
        more = options[: len(shown) + 1]
        assert sent_bytes({"option_groups": [{**group, "options": more}]}) > ROOM - 10


@settings(max_examples=60, deadline=None)
@given(
    errors=st.dictionaries(
        st.integers(0, 10**6).map("field:{:020}".format),
        st.tuples(TEXT, st.integers(1, 40)).map(lambda pair: pair[0] * pair[1]),
        min_size=1,
        max_size=100,
    )
)
def test_errors_fit_and_each_keeps_its_beginning(errors: dict[str, str]) -> None:
    found = fewer_words(errors)
    assert fits({"response_action": "errors", "errors": found})
    assert found.keys() == errors.keys() and all(found.values())
    if fits({"response_action": "errors", "errors": errors}) and max(map(len, errors.values())) < 900:
        assert found == errors


def test_the_size_is_that_of_what_the_sdk_sends() -> None:
    from slack_sdk.socket_mode.response import SocketModeResponse

    payload = {"response_action": "update", "view": {"blocks": ["ж😀\u202e" * 50]}}
    sent = SocketModeResponse(envelope_id="3e1e4b5a-5a5e-4f0e-9d6a-0a8c6a0f9a3b", payload=payload)
    assert sent_bytes(payload) == len(json.dumps(sent.to_dict()).encode())


def form() -> dict[str, Any]:
    """A view as Slack sends it, with what was typed."""
    plain = {"type": "plain_text", "text": "x", "emoji": True}
    options = [option("a", "1"), option("b", "2")]
    elements = {
        "words": {"type": "plain_text_input", "initial_value": "old"},
        "emptied": {"type": "plain_text_input", "initial_value": "old"},
        "one": {"type": "static_select", "options": options},
        "some": {"type": "checkboxes", "options": options, "initial_options": options},
        "day": {"type": "datepicker", "initial_date": "2026-11-22"},
        "at": {"type": "datetimepicker"},
    }
    state = {
        "words": {"value": "typed"},
        "emptied": {"value": None},
        "one": {"selected_option": options[1]},
        "some": {"selected_options": []},
        "day": {"selected_date": "2026-12-01"},
        "at": {"selected_date_time": 1_795_000_000},
    }
    blocks: list[dict[str, Any]] = [
        {"type": "input", "block_id": name, "label": plain, "element": {**element, "action_id": "v"}}
        for name, element in elements.items()
    ]
    button = {"type": "button", "action_id": "page", "text": plain, "value": "1:1"}
    blocks.append({"type": "actions", "block_id": "pages", "elements": [button]})
    return {
        "id": "V1", "hash": "1.a", "team_id": "T1", "external_id": "", "bot_id": "B1",
        "type": "modal", "callback_id": "edit", "title": plain, "submit": plain, "close": None,
        "private_metadata": "{}", "blocks": blocks, "root_view_id": "V1", "previous_view_id": None,
        "state": {"values": {name: {"v": held} for name, held in state.items()}},
    }  # fmt: skip


def test_a_form_is_shown_again_with_all_that_was_typed_in_it() -> None:
    view = again_with(opening.SLACK_AWAY, form())
    assert check_view(view) == [] and (view["callback_id"], view["private_metadata"]) == ("edit", "{}")
    held = {b["block_id"]: b["element"] for b in view["blocks"] if b["type"] == "input"}
    assert held["words"]["initial_value"] == "typed" and "initial_value" not in held["emptied"]
    assert held["one"]["initial_option"]["value"] == "2" and "initial_options" not in held["some"]
    assert held["day"]["initial_date"] == "2026-12-01"
    assert held["at"]["initial_date_time"] == 1_795_000_000
    assert view["blocks"][0]["block_id"] == NOTICE
    again = again_with(opening.TOO_LATE, view | {"state": {"values": {}}})
    assert [b.get("block_id") for b in again["blocks"]].count(NOTICE) == 1, "one notice, the last"


def test_a_full_form_has_room_for_the_notice() -> None:
    full = form()
    full["blocks"] += [{"type": "divider"}] * (100 - len(full["blocks"]))
    assert check_view(again_with(opening.NOT_OPENED, full)) == []


def test_what_is_loading_has_nothing_to_press_but_close() -> None:
    view = loading_view(form(), "ours")
    assert check_view(view) == [] and "submit" not in view and view["external_id"] == "ours"
    assert not [block for block in view["blocks"] if block["type"] in ("input", "actions")]
    instead = not_shown_view(opening.slack_refuses("invalid_blocks"), form())
    assert check_view(instead) == []
    assert [block.get("block_id") for block in instead["blocks"]] == [NOTICE, "pages"]
    assert "invalid_blocks" in instead["blocks"][0]["text"]["text"]
