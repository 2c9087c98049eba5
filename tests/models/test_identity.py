"""Ids that commit: one recipe, and every part of it counts."""

from __future__ import annotations

import hashlib
import json
import uuid

from hypothesis import given
from hypothesis import strategies as st
from support import a_request

from signoff.models.identity import keyed_nonce, new_nonce, request_id

PARTS = ("approval", "billing-bot", "refund.create", "d" * 64, "0" * 32)


def test_the_id_is_a_uuid_of_version_8_made_as_the_wire_says() -> None:
    made = request_id(*PARTS)
    assert made.version == 8 and made.variant == uuid.RFC_4122
    hashed = hashlib.sha256(json.dumps(["signoff-id-1", *PARTS], separators=(",", ":")).encode()).digest()
    expected = bytearray(hashed[:16])
    expected[6], expected[8] = expected[6] & 0x0F | 0x80, expected[8] & 0x3F | 0x80
    assert made.bytes == bytes(expected)


@given(st.integers(0, 4), st.text('abc0[],"', min_size=1, max_size=5), st.text('abc0[],"', max_size=5))
def test_another_part_is_another_id_wherever_the_parts_are_cut(which: int, one: str, other: str) -> None:
    parts, moved = list(PARTS), list(PARTS)
    parts[which] = one
    moved[which] = other
    assert (request_id(*parts) == request_id(*moved)) == (one == other)
    cut = [*PARTS[:3], one + other, ""]
    assert request_id(*cut) != request_id(*PARTS[:3], one, other) or other == ""


def test_a_request_commits_for_its_own_agent_only_and_to_all_that_is_asked() -> None:
    request = a_request()
    assert request.commits("billing-bot") and not request.commits("other-bot")
    for changes in (
        {"action": "refund.other"}, {"payload": {}}, {"nonce": new_nonce()}, {"nonce": ""},
        {"kind": "question"},
    ):  # fmt: skip
        assert not request.model_copy(update=changes).commits("billing-bot"), changes
    assert request.model_copy(update={"reason": "another"}).commits("billing-bot")


def test_a_key_gives_the_same_nonce_and_only_the_agents_secret_tells_it() -> None:
    assert keyed_nonce("k", "s") == keyed_nonce("k", "s") != keyed_nonce("k", "t")
    assert keyed_nonce("k", None) == hashlib.sha256(b"k").hexdigest()[:32] != keyed_nonce("k", "s")
    assert len({new_nonce() for _ in range(100)}) == 100
