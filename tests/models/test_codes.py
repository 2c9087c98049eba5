"""Codes: from an id, read as people type them, apart from each other, and looked up by an index."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from signoff.models import codes

IDS = st.builds(lambda bits: str(uuid.UUID(int=bits)), st.integers(0, 2**128 - 1))


@given(IDS, st.integers(codes.SHORTEST, codes.LONGEST))
def test_a_code_is_the_beginning_of_its_id_and_is_read_back(approval_id: str, length: int) -> None:
    code = codes.code(approval_id, length)
    assert len(code) == length and code.startswith(codes.code(approval_id))
    typed = code.lower().replace("0", "o").replace("1", "l")
    assert codes.read(f" {typed[:3]}-{typed[3:]} ") == code
    heads = codes.heads(code)
    assert approval_id[:8] in heads and heads == sorted(heads) and len(heads) in (1, 4)


def test_what_is_no_code_is_none() -> None:
    for text in ("", "7F3K2", "refund", "7F3K2U", "7F3K2Q!", "ÀÈÌÒÙÄ", "7" * 26, "<@U0ANA>"):
        assert codes.read(text) is None, text


@given(IDS, st.lists(st.integers(0, 127), max_size=5))
def test_a_code_is_as_long_as_it_takes_to_be_told_apart(approval_id: str, flipped: list[int]) -> None:
    others = [str(uuid.UUID(int=uuid.UUID(approval_id).int ^ 1 << bit)) for bit in flipped]
    length = codes.apart(approval_id, others)
    near = [other for other in others if codes.code(other, codes.LONGEST) != codes.code(approval_id, 25)]
    assert all(codes.code(other, length) != codes.code(approval_id, length) for other in near)
    shorter = [
        other for other in near if codes.code(other, length - 1) == codes.code(approval_id, length - 1)
    ]
    assert length == codes.SHORTEST or shorter or len(near) < len(others)


def test_an_id_that_is_no_uuid_has_a_code_too() -> None:
    assert codes.read(codes.code("x")) == codes.code("x")
