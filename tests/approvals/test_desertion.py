"""Nobody may decide any more: admins are told once, who clicks is told plainly, and doctor has the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from support import Core, People

from signoff.approvals.desertion import Desertion, deserted, sentence
from signoff.approvals.errors import GroupsUnread, NobodyLeft, NotAllowed
from signoff.bot.listeners.replies import sentence as reply
from signoff.models.people import Person

GONE = ("U0ANA", "U0BEN")


class Told:
    """Admins who can be told, or not."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.reachable = True

    def __call__(self, faults: Sequence[str]) -> bool:
        self.faults += faults if self.reachable else []
        return self.reachable


def leave(core: Core, *users: str) -> None:
    for user in users:
        core.people.persons[user] = replace(core.people.persons[user], deleted=True)


def come_back(core: Core, *users: str) -> None:
    for user in users:
        core.people.persons[user] = replace(core.people.persons[user], deleted=False)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def desertion(core: Core, told: Told) -> Desertion:
    core.people.persons.setdefault("U0MIA", Person("U0MIA", "mia", team_id="T1"))
    return Desertion(core.store, core.approvals.judge, core.people, told)


def everybody(core: Core) -> list[str]:
    return [one for one in core.people.persons if one != "U0MIA"]


def test_admins_are_told_once_of_each_and_by_its_code(core: Core, told: Told, desertion: Desertion) -> None:
    first = core.submit(payload={"amount": 1})
    desertion.step()
    assert told.faults == []
    leave(core, *everybody(core))
    desertion.step()
    desertion.step()
    [fault] = told.faults
    assert f"refund.create of billing-bot ({first.code})" in fault and "Nobody may decide" in fault
    second = core.submit(payload={"amount": 2})
    desertion.step()
    assert len(told.faults) == 2 and second.code in told.faults[1] and first.code not in told.faults[1]


def test_who_cannot_be_told_is_told_later_and_a_return_begins_anew(
    core: Core, told: Told, desertion: Desertion
) -> None:
    core.submit()
    leave(core, *everybody(core))
    told.reachable = False
    desertion.step()
    told.reachable = True
    desertion.step()
    assert len(told.faults) == 1
    come_back(core, "U0ANA")
    desertion.step()
    leave(core, "U0ANA")
    desertion.step()
    assert len(told.faults) == 2


def test_an_emptied_group_is_nobody_and_one_that_cannot_be_read_is_not_known(
    core: Core, told: Told, desertion: Desertion, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.submit()
    leave(core, *(one for one in everybody(core) if one not in core.people.groups.get("S0FIN", ())))
    core.people.groups = {}
    leave(core, *everybody(core))

    def unread(self: People, group_id: str) -> set[str]:
        raise GroupsUnread((group_id,), "the plan has none")

    with monkeypatch.context() as patched:
        patched.setattr(People, "group", unread)
        desertion.step()
        assert deserted(core.store, core.approvals.judge, core.people)[0] == []
        assert told.faults == []
    desertion.step()
    assert len(told.faults) == 1


def test_who_clicks_is_told_plainly(core: Core, desertion: Desertion) -> None:
    approval = core.submit()
    with pytest.raises(NotAllowed) as refused:
        core.approvals.open_for(approval.id, 1, "U0MIA")
    assert not isinstance(refused.value, NobodyLeft)
    leave(core, *everybody(core))
    with pytest.raises(NobodyLeft) as gone:
        core.approvals.open_for(approval.id, 1, "U0MIA")
    assert "Nobody can decide this any more" in reply(gone.value, approval, 0)


def test_many_are_counted(core: Core, desertion: Desertion) -> None:
    ids = [core.submit(payload={"amount": n}).id for n in range(8)]
    assert "and 3 more any more" in sentence(core.store, ids)
