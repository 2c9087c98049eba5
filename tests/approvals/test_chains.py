"""Deputies of deputies: chains are followed to their end, and circles to nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signoff.approvals.chains import circle, stand_in

PEOPLE = st.sampled_from("abcdefg")


def test_a_chain_ends_with_who_is_there() -> None:
    assert stand_in("a", {"a": "b"}, "b") == "b"
    assert stand_in("a", {"a": "b", "b": "c"}, "bc") == "c"
    assert stand_in("a", {}, "bc") is None
    assert stand_in("a", {"a": "b"}, "c") is None, "nobody whom the policy does not name"
    assert stand_in("a", {"a": "b", "b": "c"}, "c") is None, "nor by way of somebody"
    assert stand_in("a", {"a": "b", "b": "a"}, "ab") is None
    assert circle("a", "b", {"b": "c", "c": "a"}) == ("a", "b", "c")
    assert circle("a", "b", {"b": "c"}) == () and circle("a", "a", {}) == ("a",)
    assert circle("a", "b", {"b": "c", "c": "b"}) == (), "theirs, and not one with this person"


@given(st.dictionaries(PEOPLE, PEOPLE), PEOPLE, st.sets(PEOPLE))
def test_whoever_stands_in_is_there_is_allowed_and_is_somebody_else(
    away: dict[str, str], person: str, allowed: set[str]
) -> None:
    found = stand_in(person, away, allowed)
    if found is not None:
        assert person in away and found not in away and found in allowed and found != person
    elif person in away and allowed == set("abcdefg"):
        seen, at = set[str](), person
        while at in away and at not in seen:
            seen.add(at)
            at = away[at]
        assert at in seen or at == person, "only a circle ends with nobody"


@given(st.dictionaries(PEOPLE, PEOPLE), PEOPLE, PEOPLE)
def test_what_is_refused_is_just_what_would_close_a_circle(
    away: dict[str, str], person: str, deputy: str
) -> None:
    others = {one: to for one, to in away.items() if one != person}
    refused = circle(person, deputy, others)
    assert bool(refused) == (
        stand_in(person, {**others, person: deputy}, "abcdefg") is None
        and _round(person, {**others, person: deputy})
    )


def _round(person: str, away: dict[str, str]) -> bool:
    """Whether one comes back to this person."""
    at = person
    for _ in range(len(away) + 1):
        if at not in away:
            return False
        at = away[at]
        if at == person:
            return True
    return False
