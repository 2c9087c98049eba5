"""Who may decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import People

from signoff.approvals.authority import may_decide
from signoff.approvals.errors import GroupsUnread, NotAllowed
from signoff.models.people import Person

ANA = Person("U0ANA", "ana", team_id="T1")


class Grid(People):
    def home(self) -> tuple[str, str]:
        return "T1", "E1"


def allowed(person: Person, approvers: tuple[str, ...], groups: dict[str, set[str]] | None = None) -> bool:
    try:
        may_decide(person.id, approvers, People({person.id: person}, groups or {}))
        return True
    except NotAllowed:
        return False


def test_named_in_person_by_group_or_as_a_member() -> None:
    assert allowed(ANA, ("U0ANA",))
    assert allowed(ANA, ("S0FIN",), {"S0FIN": {"U0ANA"}})
    assert allowed(ANA, ("members",))
    assert not allowed(ANA, ("U0BEN", "S0FIN"), {"S0FIN": {"U0BEN"}})
    assert not allowed(ANA, ())


@given(
    st.fixed_dictionaries({name: st.booleans() for name in ("bot", "deleted", "guest", "stranger")}),
    st.sampled_from(["T1", "T2", ""]),
    st.sampled_from([("U0ANA",), ("members",), ("S0FIN",)]),
)
def test_only_a_full_member_of_this_workspace_whatever_the_list_says(
    flags: dict[str, bool], team: str, approvers: tuple[str, ...]
) -> None:
    person = replace(ANA, team_id=team, **flags)
    assert allowed(person, approvers, {"S0FIN": {"U0ANA"}}) == (team == "T1" and not any(flags.values()))


def test_on_an_enterprise_grid_people_of_the_same_organisation_count() -> None:
    other = replace(ANA, team_id="T9", enterprise_id="E1")
    assert may_decide("U0ANA", ("U0ANA",), Grid({"U0ANA": other})) == other
    with pytest.raises(NotAllowed):
        may_decide("U0ANA", ("U0ANA",), Grid({"U0ANA": replace(other, enterprise_id="E2")}))
    with pytest.raises(NotAllowed):  # no organisation on either side is not the same organisation
        may_decide("U0ANA", ("U0ANA",), People({"U0ANA": replace(other, enterprise_id="")}))


def test_on_an_enterprise_grid_members_are_those_of_this_workspace() -> None:
    elsewhere = replace(ANA, team_id="T9", enterprise_id="E1", teams=("T9",))
    in_both = replace(ANA, team_id="T9", enterprise_id="E1", teams=("T9", "T1"))
    gone = replace(ANA, team_id="T1", enterprise_id="E1", teams=("T9",))  # the list is what counts
    old = replace(ANA, team_id="T9", enterprise_id="E1")  # no list: the one that Slack names
    assert may_decide("U0ANA", ("members",), Grid({"U0ANA": in_both})) == in_both
    for person in (elsewhere, gone, old):
        named = [("U0ANA",), ("members", "U0ANA")] if person.teams else []
        for approvers in (("members",), ("members", "U0BEN"), ("S0FIN", "members"), *named):
            with pytest.raises(NotAllowed, match="Only members of this workspace"):
                may_decide("U0ANA", approvers, Grid({"U0ANA": person}))
    with pytest.raises(NotAllowed, match="Only members of this workspace"):
        may_decide("U0ANA", ("S0FIN",), Grid({"U0ANA": elsewhere}, {"S0FIN": {"U0ANA"}}))
    assert may_decide("U0ANA", ("S0FIN",), Grid({"U0ANA": in_both}, {"S0FIN": {"U0ANA"}})) == in_both
    for other in (replace(in_both, guest=True), replace(in_both, stranger=True)):
        with pytest.raises(NotAllowed):
            may_decide("U0ANA", ("members", "U0ANA"), Grid({"U0ANA": other}))


class Unread(People):
    """Of whose groups only some can be read."""

    def group(self, group_id: str) -> set[str]:
        if group_id not in self.groups:
            raise GroupsUnread((group_id,), "it is not said")
        return self.groups[group_id]


@given(
    st.lists(
        st.sampled_from(["U0ANA", "U0BEN", "S0IN", "S0OUT", "S0UNREAD", "S0OTHER", "members"]), unique=True
    )
)
def test_a_group_that_cannot_be_read_lets_nobody_decide_and_keeps_nobody_from_it(
    approvers: list[str],
) -> None:
    directory = Unread({"U0ANA": ANA}, {"S0IN": {"U0ANA"}, "S0OUT": {"U0BEN"}})
    unread = [group for group in approvers if group in ("S0UNREAD", "S0OTHER")]
    if {"U0ANA", "S0IN", "members"} & {*approvers}:
        assert may_decide("U0ANA", tuple(approvers), directory) == ANA
    elif unread:
        with pytest.raises(GroupsUnread) as caught:
            may_decide("U0ANA", tuple(approvers), directory)
        assert list(caught.value.groups) == unread
    else:
        with pytest.raises(NotAllowed):
            may_decide("U0ANA", tuple(approvers), directory)
