"""Codes and typed values as people meet them in Slack: cards, forms, batches, enrolment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flows.local import SHARED, Local, local_bot
from flows.person import ANA, BEN, text_of
from flows.several import Shown
from sqlalchemy import text
from support import eventually

from signoff.approvals.enrolment import Enrolment
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.factor_news import FactorNews
from signoff.models import factors as rows

POLICY = f"""\
version: 1
risk: {{"refund.*": low, "db.*": critical}}
reversibility: {{"refund.*": costly}}
rules:
  - {{name: refunds, match: {{action: "refund.*"}}, verdict: ask, approvers: [{ANA}, {BEN}],
      second_factor: totp, session: 5m}}
  - {{name: drops, match: {{action: "db.*"}}, verdict: ask, approvers: [{ANA}],
      second_factor: totp, confirm: payload.table}}
"""
NOTE = "Note to the agent and the record"
CODE, TYPED = "Code of your authenticator app", "Type the value of table to confirm"


@pytest.fixture
def local(tmp_path: Path, redis_url: str) -> Iterator[Local]:
    (tmp_path / "policy.yml").write_text(POLICY)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with local_bot(data, redis_url, policy=tmp_path / "policy.yml") as found:
        yield found


def enrolled(local: Local, user: str = ANA) -> Enrolment:
    made = local.server.approvals.enrolments.enrol(user, "operator")
    with local.server.store.transaction() as connection:
        connection.execute(text("UPDATE factor SET counts_from = 1 WHERE id = :id"), {"id": made.id})
    return made


def code(local: Local, made: Enrolment, off: int = 0) -> str:
    step = rows.step_of(local.server.store.clock()) + off
    return pyotp.TOTP(made.secret).at(step * 30)


def wrong(local: Local, made: Enrolment) -> str:
    near = {code(local, made, off) for off in range(-3, 4)}
    return next(f"{number:06}" for number in range(20) if f"{number:06}" not in near)


def state(local: Local, approval_id: str) -> str:
    return str(local.server.approvals.get(approval_id).status)


def drop(local: Local) -> str:
    return local.ask(action="db.drop", payload={"table": "orders_2024", "where": "eu"})


def errors(answer: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = answer["response"]["errors"]
    return found


def test_approve_asks_for_a_code_and_a_typed_value(local: Local) -> None:
    made, one, ana = enrolled(local), drop(local), local.person(ANA)
    shown = local.card(one)
    assert "To approve it takes a code of an authenticator app and the value of table, typed." in text_of(
        shown
    )
    assert "To approve it takes a code" in shown["text"]
    ana.click(shown, "approve")
    view = ana.view("review", "orders_2024", "eu")
    given = code(local, made)
    refused = ana.submit(view, **{CODE: wrong(local, made), TYPED: "orders_2024"})
    assert "none of your codes of now" in errors(refused)["code"]
    refused = ana.submit(view, **{CODE: given, TYPED: "orders_2025"})
    assert "another value" in errors(refused)["confirm:payload.table"]
    assert state(local, one) == "pending"
    ana.submit(view, **{CODE: given, TYPED: "Orders_2024"})
    eventually(lambda: state(local, one) == "approved")
    assert ana.stack() == []
    local.deliver(one)
    after = local.card(one)
    assert "with a code" in text_of(after) and "with a code" in after["text"]


def test_who_has_none_is_told_what_to_do_and_nothing_opens(local: Local) -> None:
    one, ana = drop(local), local.person(ANA)
    before = len(ana.told())
    ana.click(local.card(one), "approve")
    ana.told_now(before, "signoff factor invite", "/approvals factor")
    assert ana.stack() == [] and state(local, one) == "pending"


def test_review_note_and_edit_ask_too(local: Local) -> None:
    made, ana = enrolled(local), local.person(ANA)
    one = drop(local)
    ana.choose(local.card(one), "note")
    view = ana.view("note", "orders_2024")
    ana.submit(view, **{CODE: code(local, made, -1), TYPED: "orders_2024", NOTE: "as agreed"})
    eventually(lambda: state(local, one) == "approved")
    two = local.ask(action="db.drop", payload={"table": "orders_2023"})
    ana.click(local.card(two), "edit")
    ana.submit(ana.view("edit"), table="orders_2022")
    view = ana.view("difference", "orders_2022")
    refused = ana.submit(view, **{CODE: code(local, made), TYPED: "orders_2023"})  # the old value
    assert "another value" in errors(refused)["confirm:payload.table"]
    ana.submit(view, **{CODE: code(local, made), TYPED: "orders_2022"})
    eventually(lambda: state(local, two) == "approved")
    assert local.server.approvals.get(two).payload == {"table": "orders_2022"}


def test_a_session_asks_once_and_not_for_what_is_final(local: Local) -> None:
    made, ana = enrolled(local), local.person(ANA)
    one, two = local.ask(), local.ask(payload={"customer": "cus_7", "amount": 3})
    ana.click(local.card(one), "approve")
    view = ana.view("review", "cus_42")
    ana.submit(view, **{CODE: code(local, made)})
    eventually(lambda: state(local, one) == "approved")
    ana.click(local.card(two), "approve")
    eventually(lambda: state(local, two) == "approved")
    local.deliver(two)
    assert "with a code given shortly before" in text_of(local.card(two))
    ana.click(local.card(drop(local)), "approve")
    ana.view("review", CODE)


def test_a_policy_that_asks_by_now_asks_in_the_form_that_is_open(local: Local, tmp_path: Path) -> None:
    made, ana = enrolled(local), local.person(ANA)
    free = POLICY.replace("second_factor: totp, confirm: payload.table", "expires_in: 1h")
    put(local, tmp_path, free)
    one = drop(local)
    ana.choose(local.card(one), "note")
    view = ana.view("note")
    put(local, tmp_path, POLICY)
    ana.submit(view, **{NOTE: "as agreed"})
    view = ana.view("note", CODE, "wants more of who approves by now")
    assert state(local, one) == "pending"
    ana.submit(view, **{CODE: code(local, made), TYPED: "orders_2024", NOTE: "as agreed"})
    eventually(lambda: state(local, one) == "approved")


def put(local: Local, tmp_path: Path, policy: str) -> None:
    (tmp_path / "policy.yml").write_text(policy)
    digest = local.server.approvals.judge.policy.digest
    eventually(lambda: local.server.policy.today().digest != digest)


def test_somebody_enrols_in_slack(local: Local) -> None:
    ana, enrolments = local.person(ANA), local.server.approvals.enrolments
    invited = enrolments.invite(ANA, "operator")
    command(local, ANA, "factor")
    view = ana.view("factor", "You have no second factor.")
    refused = ana.submit(view, **{"One-time code": "0000-0000-0000-0000"})
    assert "Nobody has invited you" in errors(refused)["code"]
    ana.submit(view, **{"One-time code": invited})
    view = ana.view("factor_new", "otpauth://totp/")
    shown = text_of(view)
    secret = shown.split("secret=")[1].split("&")[0].split()[0]
    totp = pyotp.TOTP(secret)
    ana.submit(view, **{"The first code that it shows": totp.at(local.server.store.clock() // 1_000_000)})
    ana.view("message", "It is enrolled")
    assert [one.kind for one in enrolments.of(ANA)] == ["totp"]
    FactorNews(local.server.store, local.server.slack, Admins(local.server.slack, (BEN,))).step()
    for user in (ANA, BEN):
        told = eventually(lambda user=user: [one["text"] for one in direct(local, user)])
        assert any("may enrol a second factor" in one for one in told)
        assert any("has enrolled a second factor" in one for one in told)
    assert rows.untold(local.server.store) == []


def direct(local: Local, user: str) -> list[dict[str, Any]]:
    return local.slack.messages(user)


def command(local: Local, user: str, said: str) -> None:
    answer = local.slack.act(type="command", user=user, channel=SHARED, command="/approvals", text=said)
    assert answer["ok"] and answer["acked"], answer


def test_only_admins_invite_and_nobody_invites_themselves(local: Local) -> None:
    ana = local.person(ANA)
    for whom in (BEN, ANA, f"<@{BEN}|ben>", "somebody", ""):
        before = len(ana.told())
        command(local, ANA, f"factor invite {whom}")
        ana.told_now(before)
    with local.server.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM factor_invitation")).scalar() == 0


def test_one_code_approves_all_on_a_card(local: Local) -> None:
    made, ana = enrolled(local), local.person(ANA)
    shown = Shown(local, branches(4), action="refund.create")
    ana.click(shown.card, "batch_approve")
    view = ana.view("batch_code", CODE)
    assert "none of your codes of now" in errors(ana.submit(view, **{CODE: wrong(local, made)}))["code"]
    assert shown.became() == {"pending": 4}
    ana.submit(view, **{CODE: code(local, made)})
    ana.view("batch_result", "You approved 4")
    shown.once(approved=4)
    assert {one.decision and one.decision.second_factor for one in shown.batch.items} == {"totp session"}


def test_one_code_approves_what_was_seen_in_a_review(local: Local) -> None:
    made, ana = enrolled(local), local.person(ANA)
    shown = Shown(local, branches(4), action="refund.create")
    ana.click(shown.card, "batch_review")
    ana.press(ana.view("batch_review"), "batch_approve_seen")
    ana.submit(ana.view("batch_code", CODE), **{CODE: code(local, made)})
    ana.view("batch_result", "You approved 4")
    shown.once(approved=4)


def test_one_by_one_a_code_is_asked_for_and_the_way_leads_on(local: Local) -> None:
    made, ana = enrolled(local), local.person(ANA)
    shown = Shown(local, branches(2), action="refund.create")
    ana.click(shown.card, "batch_each")
    ana.press(ana.view("batch_each", "1 of 2"), "each_approve")
    ana.submit(ana.view("review", CODE), **{CODE: code(local, made)})
    ana.press(ana.view("batch_each", "2 of 2"), "each_approve")
    shown.once(approved=2)


def branches(count: int) -> list[dict[str, Any]]:
    return [{"repo": "acme/shop", "branch": f"feature-{n}"} for n in range(count)]
