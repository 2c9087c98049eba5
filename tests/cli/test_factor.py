"""`signoff factor …`: as the operator enrols, looks, takes away and affirms."""

from __future__ import annotations

import json
from collections.abc import Callable

from support import Core

from signoff.approvals import epochs

Signoff = Callable[..., tuple[int, str, str]]
ANA = "U012ABCDEF"


def test_somebody_is_enrolled_listed_and_removed(core: Core, signoff: Signoff) -> None:
    code, out, err = signoff("factor", "enroll", ANA)
    assert code == 0 and "█" in out and "24 hours" in err
    listed = json.loads(signoff("factor", "list", "--json")[1])
    assert [(one["user"], one["kind"], one["state"], one["by"]) for one in listed] == [
        (ANA, "totp", "rests", "operator")
    ]
    assert "rests" in signoff("factor", "list")[1]
    name = listed[0]["name"]
    assert signoff("factor", "remove", name)[0] == 0
    assert json.loads(signoff("factor", "list", "--json")[1]) == []
    assert signoff("factor", "remove", name)[0] == 2


def test_an_invitation_is_printed_once_and_counts(core: Core, signoff: Signoff) -> None:
    code, out, err = signoff("factor", "invite", ANA)
    assert code == 0 and "/approvals factor" in err
    assert core.approvals.enrolments.needs_invitation(ANA)
    assert len(out.strip()) == 19
    for bad in ("ana", "S0FIN", "u012"):
        assert signoff("factor", "invite", bad)[0] == 2


def test_after_a_restore_the_operator_says_which_count(core: Core, signoff: Signoff) -> None:
    signoff("factor", "enroll", ANA)
    with core.store.transaction() as connection:
        epochs.begin(connection, None)
    assert "from before a restore" in signoff("factor", "list")[1]
    assert signoff("factor", "affirm")[0] == 2
    assert signoff("factor", "affirm", "--all")[0] == 0
    assert "rests" in signoff("factor", "list")[1]
