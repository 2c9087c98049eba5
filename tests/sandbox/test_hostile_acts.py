"""Whatever a program sends as an act or a change of the team: it is answered, and the stand-in lives on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
KINDS = (
    "click",
    "submit",
    "close",
    "command",
    "open_home",
    "shortcut",
    "message_shortcut",
    "suggest",
    "message",
)
NAMES = ("channel", "ts", "thread_ts", "view_id", "action_id", "block_id", "value", "text", "tab", "state")
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["random", "C0RANDOM01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def alone() -> Iterator[Sandbox]:
    """A stand-in to which no app is connected, and which does not wait for one."""
    with Sandbox.start(ack_seconds=0.001) as sandbox:
        sandbox.faults(redelivery_seconds=[])
        yield sandbox


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from([*NAMES, "callback_id", "command", "confirm", "all"]), ANYTHING),
)
def test_every_act_is_answered(alone: Sandbox, kind: str, fields: JSON) -> None:
    answer = alone.act(**fields | {"type": kind, "user": "U0ANA00001"})
    assert answer["ok"] is True or isinstance(answer["error"], str)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["users", "channels", "usergroups", "bot", "events"]),
        ANYTHING | st.dictionaries(st.sampled_from(["C0RANDOM01", "installed", "scopes"]), ANYTHING),
    )
)
def test_every_change_of_the_team_is_made_or_refused(alone: Sandbox, fields: JSON) -> None:
    try:
        alone.team(**fields)
    except LookupError as refused:
        assert "invalid_team" in str(refused)
    assert alone.state()["ok"]
