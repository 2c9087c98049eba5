"""The wire types."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support import a_request

from signoff.errors import Invalid
from signoff.models.identity import new_id
from signoff.models.messages import ApprovalRequest, Response

prose = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "reason": prose, "undo": prose, "impact": prose, "title": prose,
            "reversibility": st.sampled_from(["reversible", "costly", "irreversible"]),
            "risk": st.sampled_from(["low", "medium", "high", "critical"]),
            "alternatives": st.lists(prose, max_size=3), "tags": st.lists(st.just("money"), max_size=2),
            "confidence": st.floats(0, 1), "attempts": st.integers(0, 10), "editable": st.booleans(),
            "expires_in": st.integers(1, 86400),
            "context": st.dictionaries(st.text("abc"), st.integers(0, 9)),
        },
    )
)  # fmt: skip
def test_a_request_survives_the_wire_and_the_rows(fields: dict[str, Any]) -> None:
    request = a_request(**fields)
    assert ApprovalRequest.decode(request.encode()) == request
    assert ApprovalRequest.from_rows(request.claims(), request.payload) == request
    assert "payload" not in request.claims() or "payload" in str(fields)


def test_messages_are_frozen() -> None:
    with pytest.raises(ValidationError):
        a_request().action = "other"  # type: ignore[misc]


def test_ids_sort_by_time_and_are_uuids_of_version_7() -> None:
    ids = [new_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(one.version == 7 and one.variant == uuid.RFC_4122 for one in ids)
    assert str(ids[0])[:13] <= str(ids[-1])[:13]


def test_an_answer_of_a_later_server_is_read_as_far_as_it_is_known() -> None:
    assert Response.decode('{"v":1,"status":"pending","surprise":[1]}').status == "pending"
    for text in ("", "[]", "{}", '{"status":5}'):
        with pytest.raises(Invalid):
            Response.decode(text)
