"""Whether it was them: codes count once, for one vote; what was removed or put back counts for nothing."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import text
from support import Core

from signoff import receipts
from signoff.approvals import audit, epochs
from signoff.approvals.enrolment import Enrolment
from signoff.approvals.errors import NotRecorded
from signoff.approvals.factor_errors import (
    CodeUsed,
    FactorLocked,
    FactorUnread,
    NoFactor,
    NotInvited,
    ProofAsked,
    WrongCode,
    WrongTyped,
)
from signoff.approvals.factors import Proof
from signoff.approvals.vault import Sealed, Vault
from signoff.errors import Invalid
from signoff.models import factors as rows
from signoff.queue import stream

ANA, BEN = "U0ANA", "U0BEN"
CODE = 'rules: [{name: big, match: {action: "refund.*"}, verdict: ask, approvers: [U0ANA, U0BEN], %s}]'
TOTP = CODE % "second_factor: totp"
SESSION = "risk: {'refund.*': low}\nreversibility: {'refund.*': costly}\n" + CODE % (
    "second_factor: totp, session: 5m"
)
TYPED = CODE % "confirm: payload.customer"


def enrolled(core: Core, user: str = ANA) -> Enrolment:
    """Somebody's factor, past its rest."""
    made = core.approvals.enrolments.enrol(user, "operator")
    rested(core, made.id)
    return made


def rested(core: Core, factor_id: str) -> None:
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE factor SET counts_from = 1 WHERE id = :id"), {"id": factor_id})


def code(core: Core, made: Enrolment, off: int = 0) -> str:
    """The code of the step that the database's clock is in, or of one around it."""
    step = rows.step_of(core.store.clock()) + off
    return pyotp.TOTP(made.secret).at(step * 30)


def wrong(core: Core, made: Enrolment) -> str:
    """Six digits that are no code of about now."""
    near = {code(core, made, off) for off in range(-3, 4)}
    return next(
        one
        for one in ("000000", "111111", "222222", "333333", *map(str, range(444444, 444460)))
        if one not in near
    )


def approve(core: Core, one: Any, proof: Proof | None, user: str = ANA, **more: Any) -> Any:
    return core.approvals.decide(one.id, one.version, user, "approve", proof=proof, **more)


def waits(core: Core, one: Any) -> bool:
    found = core.approvals.get(one.id)
    return found.pending and found.decisions == ()


def test_a_code_approves_and_the_receipt_says_so(core: Core) -> None:
    core.follow(TOTP)
    made, one = enrolled(core), core.submit()
    with pytest.raises(ProofAsked):
        approve(core, one, None)
    assert waits(core, one)
    done = approve(core, one, Proof(code(core, made)))
    assert done.status == "approved" and done.decision.second_factor == "totp"
    keys = receipts.verify_keys(core.signer.verify_key)
    answer = stream.response(core.redis, one.agent, one.request_id)
    assert answer is not None
    told: Any = receipts.accept(answer, keys, agent=one.agent, request_id=one.request_id)
    assert told.decided_by.second_factor == "totp"
    with core.store.reading() as connection:
        kinds = (
            connection.execute(text("SELECT data FROM audit_event WHERE kind = 'decision'")).scalars().all()
        )
        assert [json.loads(one)["second_factor"] for one in kinds] == ["totp"]
    assert audit.verify(core.store).ok


def test_a_rejection_takes_no_code(core: Core) -> None:
    core.follow(TOTP)
    one = core.submit()
    assert core.approvals.decide(one.id, 1, ANA, "reject", reason="no").status == "rejected"


def test_a_code_counts_once(core: Core) -> None:
    core.follow(TOTP)
    made, one, other = enrolled(core), core.submit(), core.submit(payload={"customer": "cus_9", "amount": 1})
    used = code(core, made)
    approve(core, one, Proof(used))
    with pytest.raises(CodeUsed):
        approve(core, other, Proof(used))
    assert waits(core, other)


def test_an_older_code_than_the_last_one_counts_no_more(core: Core) -> None:
    core.follow(TOTP)
    made, one, other = enrolled(core), core.submit(), core.submit(payload={"customer": "cus_9", "amount": 1})
    approve(core, one, Proof(code(core, made, 1)))
    with pytest.raises(CodeUsed):
        approve(core, other, Proof(code(core, made)))


def test_of_many_at_once_one_takes_the_code(core: Core) -> None:
    core.follow(TOTP)
    made = enrolled(core)
    asked = [core.submit(payload={"customer": f"cus_{number}", "amount": 1}) for number in range(6)]
    used, start = Proof(code(core, made)), threading.Barrier(len(asked))

    def vote(one: Any) -> str:
        start.wait(20)
        try:
            return str(approve(core, one, used).status)
        except CodeUsed:
            return "used"

    with ThreadPoolExecutor(len(asked)) as pool:
        became = sorted(pool.map(vote, asked))
    assert became == ["approved", *["used"] * 5]


@pytest.mark.parametrize("off", [-120, -4, 4])
def test_a_code_of_an_hour_ago_is_wrong(core: Core, off: int) -> None:
    core.follow(TOTP)
    made, one = enrolled(core), core.submit()
    with pytest.raises(WrongCode) as caught:
        approve(core, one, Proof(code(core, made, off)))
    assert caught.value.left == 4 and waits(core, one)


def test_somebody_elses_code_is_wrong(core: Core) -> None:
    core.follow(TOTP)
    enrolled(core)
    theirs, one = enrolled(core, BEN), core.submit()
    with pytest.raises(WrongCode):
        approve(core, one, Proof(code(core, theirs)))


def test_who_has_none_is_told_so(core: Core) -> None:
    core.follow(TOTP)
    theirs, one = enrolled(core, BEN), core.submit()
    with pytest.raises(NoFactor) as caught:
        approve(core, one, Proof(code(core, theirs)))
    assert caught.value.from_ == 0 and waits(core, one)


def test_a_new_one_rests_for_a_day(core: Core) -> None:
    core.follow(TOTP)
    made, one = core.approvals.enrolments.enrol(ANA, "operator"), core.submit()
    with pytest.raises(NoFactor) as caught:
        approve(core, one, Proof(code(core, made)))
    day = caught.value.from_ - core.store.clock()
    assert 86_000_000_000 < day <= 86_400_000_000


def test_a_removed_one_counts_for_nothing_from_that_moment(core: Core) -> None:
    core.follow(TOTP)
    made, one = enrolled(core), core.submit()
    given = code(core, made)
    proven = core.approvals.factors.prove(one.verdict, ANA, one.payload, Proof(given))
    assert core.approvals.enrolments.remove(made.id, "operator")
    with pytest.raises(NoFactor), core.store.transaction() as connection:
        proven.holds(connection)  # a code typed a second earlier
    with pytest.raises(NoFactor):
        approve(core, one, Proof(given))
    assert not core.approvals.enrolments.remove(made.id, "operator")


def test_five_wrong_ones_lock_and_the_right_one_is_taken_no_more(core: Core) -> None:
    core.follow(TOTP)
    made, one = enrolled(core), core.submit()
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCode) as caught:
            approve(core, one, Proof(wrong(core, made)))
        assert caught.value.left == left
    with pytest.raises(FactorLocked):
        approve(core, one, Proof(wrong(core, made)))
    with pytest.raises(FactorLocked):
        approve(core, one, Proof(code(core, made)))
    assert [news.what for news in rows.untold(core.store)] == ["enrolled", "locked"]
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE factor_guard SET locked_until = 1"))
    assert approve(core, one, Proof(code(core, made))).status == "approved"


def test_wrong_ones_of_long_ago_do_not_lock(core: Core) -> None:
    core.follow(TOTP)
    made, one = enrolled(core), core.submit()
    for _ in range(4):
        with pytest.raises(WrongCode):
            approve(core, one, Proof(wrong(core, made)))
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE factor_guard SET wrong = '[1, 2, 3, 4]'"))
    with pytest.raises(WrongCode) as caught:
        approve(core, one, Proof(wrong(core, made)))
    assert caught.value.left == 4


def test_many_wrong_ones_at_once_are_all_counted(core: Core) -> None:
    core.follow(TOTP)
    made, one = enrolled(core), core.submit()
    bad, start = Proof(wrong(core, made)), threading.Barrier(8)

    def guess(_: int) -> str:
        start.wait(20)
        try:
            approve(core, one, bad)
        except NotRecorded as error:
            return type(error).__name__
        return "approved"

    with ThreadPoolExecutor(8) as pool:
        became = list(pool.map(guess, range(8)))
    assert sorted(became) == ["FactorLocked"] * 4 + ["WrongCode"] * 4


def test_a_code_for_one_is_not_kept_for_another(core: Core) -> None:
    core.follow(TOTP)
    made, one, other = enrolled(core), core.submit(), core.submit(payload={"customer": "cus_9", "amount": 1})
    approve(core, one, Proof(code(core, made)))
    with pytest.raises(ProofAsked):
        approve(core, other, None)


def test_a_vote_that_fails_uses_no_code(core: Core) -> None:
    core.follow(TOTP)
    made, one, other = enrolled(core), core.submit(), core.submit(payload={"customer": "cus_9", "amount": 1})
    core.approvals.cancel(one.agent, one.request_id)
    given = Proof(code(core, made))
    with pytest.raises(NotRecorded):
        approve(core, one, given)
    assert approve(core, other, given).status == "approved"


def test_a_session_counts_for_several_and_says_so(core: Core) -> None:
    core.follow(SESSION)
    made = enrolled(core)
    one, other, third = (core.submit(payload={"customer": f"cus_{n}", "amount": 1}) for n in range(3))
    assert one.verdict.in_session == 300
    assert approve(core, one, Proof(code(core, made))).decision.second_factor == "totp"
    assert approve(core, other, None).decision.second_factor == "totp session"
    core.approvals.enrolments.remove(made.id, "operator")
    with pytest.raises(NoFactor):  # it dies with its factor
        approve(core, third, None)


def test_a_session_ends(core: Core) -> None:
    core.follow(SESSION)
    made = enrolled(core)
    one, other = (core.submit(payload={"customer": f"cus_{n}", "amount": 1}) for n in range(2))
    approve(core, one, Proof(code(core, made)))
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE factor_guard SET session_at = session_at - 301000000"))
    with pytest.raises(ProofAsked):
        approve(core, other, None)


@pytest.mark.parametrize("final", [{"reversibility": "irreversible"}, {"risk": "critical"}])
def test_a_session_never_counts_for_what_is_final(core: Core, final: dict[str, Any]) -> None:
    core.follow(SESSION)
    made, one = enrolled(core), core.submit()
    approve(core, one, Proof(code(core, made)))
    other = core.submit(payload={"customer": "cus_9", "amount": 1}, **final)
    assert other.verdict.in_session == 0
    with pytest.raises(ProofAsked):
        approve(core, other, None)


def test_a_typed_value_is_compared_as_people_type(core: Core) -> None:
    core.follow(TYPED)
    one = core.submit()
    with pytest.raises(ProofAsked):
        approve(core, one, None)
    with pytest.raises(WrongTyped):
        approve(core, one, Proof(typed={"payload.customer": "cus_43"}))
    assert waits(core, one)
    done = approve(core, one, Proof(typed={"payload.customer": "  CUS_42 "}))
    assert done.status == "approved" and done.decision.second_factor is None


def test_of_an_edit_the_edited_value_is_typed(core: Core) -> None:
    core.follow(TYPED)
    one, edited = core.submit(), {"customer": "cus_77", "amount": 120}
    with pytest.raises(WrongTyped):
        approve(core, one, Proof(typed={"payload.customer": "cus_42"}), payload=edited)
    done = approve(core, one, Proof(typed={"payload.customer": "cus_77"}), payload=edited)
    assert done.status == "approved"


def test_what_nobody_can_type_is_refused_when_it_is_asked(core: Core) -> None:
    core.follow(TYPED)
    for payload in ({"amount": 1}, {"customer": ["a"]}, {"customer": "a\u200bb"}, {"customer": "x" * 500}):
        with pytest.raises(Invalid) as caught:
            core.submit(payload=payload)
        assert "payload.customer" in caught.value.detail


def test_todays_policy_is_what_asks(core: Core) -> None:
    core.follow(CODE.replace(", %s", ""))
    made, one = enrolled(core), core.submit()
    core.follow(TOTP)
    with pytest.raises(ProofAsked):
        approve(core, one, None)
    assert approve(core, one, Proof(code(core, made))).status == "approved"


def test_an_edit_under_a_stricter_rule_takes_what_that_wants(core: Core) -> None:
    core.follow(
        """rules:
  - {name: big, match: {action: "refund.*"}, when: payload.amount > 100, verdict: ask,
     approvers: [U0ANA], second_factor: totp}
  - {name: small, match: {action: "refund.*"}, verdict: ask, approvers: [U0ANA]}"""
    )
    made, one = enrolled(core), core.submit(payload={"customer": "cus_1", "amount": 5})
    edited = {"customer": "cus_1", "amount": 500}
    with pytest.raises(ProofAsked):
        approve(core, one, None, payload=edited)
    done = approve(core, one, Proof(code(core, made)), payload=edited)
    assert done.decision.second_factor == "totp"


def test_an_edit_to_a_milder_rule_does_not_get_rid_of_it(core: Core) -> None:
    core.follow(
        """rules:
  - {name: big, match: {action: "refund.*"}, when: payload.amount > 100, verdict: ask,
     approvers: [U0ANA], second_factor: totp}
  - {name: small, match: {action: "refund.*"}, verdict: ask, approvers: [U0ANA]}"""
    )
    enrolled(core)
    one = core.submit(payload={"customer": "cus_1", "amount": 500})
    with pytest.raises(ProofAsked):
        approve(core, one, None, payload={"customer": "cus_1", "amount": 5})


def test_an_invitation_counts_once_and_for_one_person(core: Core) -> None:
    people = core.approvals.enrolments
    given = people.invite(ANA, "operator")
    with pytest.raises(NotInvited):
        people.begin(BEN, given)
    begun = people.begin(ANA, given.lower().replace("-", " "))
    with pytest.raises(NotInvited):
        people.begin(ANA, given)
    done = people.finish(ANA, begun.id, code(core, begun))
    assert done.counts_from is not None and not done.counts(core.store.clock())
    assert [one.what for one in rows.untold(core.store)] == ["invited", "enrolled"]


def test_an_invitation_ends_after_a_day_and_with_the_next_one(core: Core) -> None:
    people = core.approvals.enrolments
    first, second = people.invite(ANA, "operator"), people.invite(ANA, "operator")
    with pytest.raises(NotInvited):
        people.begin(ANA, first)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE factor_invitation SET expires_at = 1"))
    with pytest.raises(NotInvited):
        people.begin(ANA, second)


def test_guessed_invitations_lock(core: Core) -> None:
    people = core.approvals.enrolments
    given = people.invite(ANA, "operator")
    for _ in range(4):
        with pytest.raises(NotInvited):
            people.begin(ANA, "0000-0000-0000-0000")
    with pytest.raises(FactorLocked):
        people.begin(ANA, "0000-0000-0000-0000")
    with pytest.raises(FactorLocked):
        people.begin(ANA, given)


def test_a_further_one_takes_an_old_one(core: Core) -> None:
    people, made = core.approvals.enrolments, enrolled(core)
    assert not people.needs_invitation(ANA)
    with pytest.raises(WrongCode):
        people.begin(ANA, people.invite(ANA, "operator"))
    begun = people.begin(ANA, code(core, made))
    people.finish(ANA, begun.id, code(core, begun))
    assert len(people.of(ANA)) == 2


def test_nobody_ends_what_another_began(core: Core) -> None:
    people = core.approvals.enrolments
    begun = people.begin(ANA, people.invite(ANA, "operator"))
    with pytest.raises(NotInvited):
        people.finish(BEN, begun.id, code(core, begun))
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE factor SET created_at = 1"))
    with pytest.raises(NotInvited):
        people.finish(ANA, begun.id, code(core, begun))


def test_a_restore_brings_back_nothing_until_the_operator_says_so(core: Core) -> None:
    core.follow(TOTP)
    people, made = core.approvals.enrolments, enrolled(core)
    invited = people.invite(BEN, "operator")
    used = code(core, made, 1)
    with core.store.transaction() as connection:
        epochs.begin(connection, None)
    one = core.submit()
    with pytest.raises(NoFactor) as caught:
        approve(core, one, Proof(used))
    assert caught.value.restored
    with pytest.raises(NotInvited):
        people.begin(BEN, invited)
    assert people.affirm(made.id, "operator") and not people.affirm(made.id, "operator")
    with pytest.raises(CodeUsed):  # no code of before, whichever was used
        approve(core, one, Proof(used))
    assert people.of(ANA)[0].counts(core.store.clock())


def test_a_session_does_not_outlive_a_restore(core: Core) -> None:
    core.follow(SESSION)
    made, one = enrolled(core), core.submit()
    approve(core, one, Proof(code(core, made)))
    with core.store.transaction() as connection:
        epochs.begin(connection, None)
    other = core.submit(payload={"customer": "cus_9", "amount": 1})
    with pytest.raises(NoFactor):
        approve(core, other, None)


def test_a_secret_in_anothers_row_opens_nothing(core: Core) -> None:
    core.follow(TOTP)
    enrolled(core)
    theirs, one = enrolled(core, BEN), core.submit()
    with core.store.transaction() as connection:
        connection.execute(
            text(
                "UPDATE factor SET secret = (SELECT secret FROM factor WHERE user_id = :ben) "
                "WHERE user_id = :ana"
            ),
            {"ana": ANA, "ben": BEN},
        )
    with pytest.raises(FactorUnread):
        approve(core, one, Proof(code(core, theirs)))
    with core.store.reading() as connection:
        assert theirs.secret not in str(connection.execute(text("SELECT * FROM factor")).all())


def test_what_is_typed_in_place_of_a_code_breaks_nothing(core: Core) -> None:
    core.follow(TOTP)
    made, one = enrolled(core), core.submit()
    for given in ("", " ", "12345", "1234567", "٣٣٣٣٣٣", "\ud800", "x" * 5000, "' OR 1=1 --"):
        with pytest.raises((ProofAsked, WrongCode, FactorLocked)):
            approve(core, one, Proof(given))
        with core.store.transaction() as connection:
            connection.execute(text("UPDATE factor_guard SET locked_until = 0, wrong = '[]'"))
    spaced = code(core, made)
    assert approve(core, one, Proof(f" {spaced[:3]} {spaced[3:]} ")).status == "approved"


def test_the_key_has_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "factors.key"
    name, sealed = Vault(path).seal("SECRET", "a")
    assert path.stat().st_mode & 0o777 == 0o600 and list(tmp_path.iterdir()) == [path]
    assert Vault(path).read(name, sealed, "a") == "SECRET"
    for about, row in (("b", sealed), ("a", sealed[:-8] + "AAAAAAA="), ("a", "no base64")):
        with pytest.raises(Sealed):
            Vault(path).read(name, row, about)
    path.unlink()
    with pytest.raises(Sealed):
        Vault(path).read(name, sealed, "a")
    with pytest.raises(Sealed):
        Vault(None).read(name, sealed, "a")
    Vault(path).seal("OTHER", "a")
    with pytest.raises(Sealed, match="sealed with the key"):
        Vault(path).read(name, sealed, "a")


def test_of_many_that_make_the_key_all_have_the_same(tmp_path: Path) -> None:
    path, start = tmp_path / "factors.key", threading.Barrier(6)

    def seal(number: int) -> tuple[str, str]:
        start.wait(20)
        return Vault(path).seal(str(number), "a")

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(seal, range(6)))
    assert [Vault(path).read(*one, "a") for one in made] == [str(number) for number in range(6)]
