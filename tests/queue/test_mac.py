"""The MAC of a job: it binds all that is run, and the key is derived from the signing key."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.queue.mac import PURPOSE, Mac
from signoff.receipts import Signer

MAC = Mac(b"k" * 32)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_the_job_that_was_signed_holds() -> None:
    signed = MAC.job_id("signoff", "deliver", ["an-id"])
    assert MAC.holds(signed, "signoff", "deliver", ["an-id"])


@pytest.mark.parametrize(
    ("queue", "function", "arguments"),
    [
        ("other", "deliver", ["an-id"]),
        ("signoff", "home", ["an-id"]),
        ("signoff", "deliver", ["another-id"]),
        ("signoff", "deliver", ["an-id", "more"]),
        ("signoff", "deliver", []),
        ("signoff", "os.system", ["an-id"]),
    ],
)
def test_anything_else_does_not(queue: str, function: str, arguments: list[Any]) -> None:
    assert not MAC.holds(MAC.job_id("signoff", "deliver", ["an-id"]), queue, function, arguments)


def test_the_mac_of_one_id_does_not_hold_under_another() -> None:
    one, other = (MAC.job_id("signoff", "deliver", ["an-id"]) for _ in range(2))
    assert one != other
    swapped = one.partition("_")[0] + "_" + other.partition("_")[2]
    assert not MAC.holds(swapped, "signoff", "deliver", ["an-id"])


def test_each_signing_key_has_a_key_of_its_own_and_one_a_purpose() -> None:
    first, second = Signer.generate(), Signer.generate()
    assert first.derive(PURPOSE) != second.derive(PURPOSE)
    assert first.derive(PURPOSE) == Signer.from_text(first.private_text()).derive(PURPOSE)
    assert first.derive(PURPOSE) != first.derive("something else")
    signed = Mac(first.derive(PURPOSE)).job_id("signoff", "deliver", ["an-id"])
    assert not Mac(second.derive(PURPOSE)).holds(signed, "signoff", "deliver", ["an-id"])


@given(job_id=st.text(), function=ANY_JSON, arguments=ANY_JSON)
def test_whatever_somebody_writes_is_refused_without_an_error(
    job_id: str, function: Any, arguments: Any
) -> None:
    assert not MAC.holds(job_id, "signoff", function, arguments)
