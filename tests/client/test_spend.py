"""One approval runs once, over any number of processes that ask with one key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import Core, a_request, eventually, send_entry

from signoff import AlreadySpent, Duplicate, Invalid, NotVerified, Signoff, Stopped
from signoff.models.messages import Response
from signoff.queue import stream

PAYLOAD = {"customer": "cus_42", "amount": 120}
PROGRAM = """
import sys
from signoff import Duplicate, Signoff

with Signoff() as signoff:
    @signoff.require_approval(action="refund.create", key="k", reversible=True, runs=sys.argv[2])
    def refund(customer: str, amount: int) -> None:
        with open(sys.argv[1], "a") as file:
            file.write("ran\\n")

    try:
        refund("cus_42", 120)
    except Duplicate as error:
        print(type(error).__name__, error)
        sys.exit(9)
"""


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """These tests are about the client: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def approve(core: Core) -> None:
    [(approval_id, _)] = eventually(lambda: core.store.waiting())
    core.approvals.decide(approval_id, 1, "U0ANA", "approve")


def test_three_processes_that_ask_with_one_key_run_it_once(
    serving: Core, redis_url: str, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    settings = {"REDIS_URL": redis_url, "AGENT": "billing-bot", "VERIFY_KEY": serving.signer.verify_key}
    environment = {f"SIGNOFF_{name}": value for name, value in settings.items()}

    def start(runs: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, str(ran), runs]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    processes = [start("once") for _ in range(3)]
    approve(serving)
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 9, 9], said
    assert ran.read_text() == "ran\n"
    for runs in ("once", "at-least-once"):  # it was reported: nobody is told approved any more
        eventually(lambda: not serving.redis.xlen(stream.requests("billing-bot")))
        late = start(runs)
        late.communicate(timeout=120)
        assert late.returncode == 9 and ran.read_text() == "ran\n"


def test_ask_spends_and_asking_again_is_a_duplicate(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, key="k", reversible=True)
    approve(serving)
    receipt = signoff.ask("refund.create", PAYLOAD, key="k", reversible=True, timeout=60)
    assert receipt.payload == PAYLOAD
    for again in (
        lambda: signoff.ask("refund.create", PAYLOAD, key="k", reversible=True, timeout=60),
        lambda: ticket.wait(60),
        lambda: signoff.resume(ticket.id).wait(60),
        lambda: signoff.spend(receipt, 60),
    ):
        with pytest.raises(Duplicate):
            again()


def test_at_least_once_is_for_those_who_say_so(serving: Core, signoff: Signoff) -> None:
    ask = {"key": "k", "reversible": True, "timeout": 60, "runs": "at-least-once"}
    signoff.request("refund.create", PAYLOAD, key="k", reversible=True)
    approve(serving)
    with pytest.raises(Stopped, match="No server says what is stopped"):
        signoff.ask("refund.create", PAYLOAD, **ask)  # type: ignore[arg-type]
    serving.approvals.stopping.tell()
    for _ in range(2):
        receipt = signoff.ask("refund.create", PAYLOAD, **ask)  # type: ignore[arg-type]
    signoff.report(receipt.id, succeeded=True)
    eventually(lambda: serving.approvals.get(receipt.id).outcome)
    with pytest.raises(Duplicate):
        eventually(lambda: not signoff.ask("refund.create", PAYLOAD, **ask))  # type: ignore[arg-type]


def test_a_notice_that_somebody_put_into_redis_lets_nobody_run(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    approve(serving)
    receipt = ticket.wait(60)
    key = stream.decision("billing-bot", stream.spent(ticket.id))
    for planted in (
        Response(status="spent", receipt="x"), Response(status="spent", receipt=receipt.token),
        Response(status="spent"), Response(status="duplicate", receipt=receipt.token),
    ):  # fmt: skip
        serving.redis.set(key, planted.encode())
        with pytest.raises(
            (NotVerified, AlreadySpent)
        ):  # what is planted, or the server's word on a try before
            signoff.spend(receipt, 60)
    serving.redis.delete(key)
    other = signoff.request("refund.create", {"other": 1}, reversible=True)
    approve(serving)
    signoff.spend(other.wait(60), 60)
    serving.redis.rename(stream.decision("billing-bot", stream.spent(other.id)), key)
    with pytest.raises(
        (NotVerified, AlreadySpent)
    ):  # the server may have said by now that a try above was first
        signoff.spend(receipt, 60)


def test_a_harmless_request_under_the_id_of_a_coming_one_is_refused(serving: Core, signoff: Signoff) -> None:
    """Whoever writes to Redis, without the key, puts `search.web` where `db.drop` is expected."""
    serving.follow("rules:\n  - name: search\n    match: {action: search.web}\n    verdict: allow\n")
    coming = a_request("db.drop", {"name": "customers"}, key="nightly")
    harmless = json.loads(a_request("search.web", {"name": "customers"}, key="nightly").encode())
    for forged in (
        {**harmless, "id": str(coming.id)},
        {**json.loads(coming.encode()), "action": "search.web"},
        {**json.loads(coming.encode()), "payload": {"name": "other"}},
    ):
        send_entry(serving.redis, "billing-bot", "request", str(coming.id), json.dumps(forged))
        eventually(lambda: not serving.redis.exists(stream.body("billing-bot", str(coming.id))))
    assert serving.redis.xlen(stream.DEAD) == 3
    assert serving.store.find("billing-bot", str(coming.id)) is None
    ticket = signoff.resume(str(coming.id))
    with pytest.raises(Invalid):
        ticket.wait(60)


def test_an_id_alone_says_what_a_receipt_has_to_be_about(serving: Core, signoff: Signoff) -> None:
    """The answer of another request, and the request replaced in flight: resume(), get() and decisions()."""
    first = signoff.request("refund.create", PAYLOAD, reversible=True)
    approve(serving)
    other = signoff.request("refund.create", {**PAYLOAD, "amount": 999_999}, reversible=True)
    approve(serving)
    eventually(lambda: serving.approvals.get(other.id).receipt)
    mine, theirs = (stream.decision("billing-bot", ticket.id) for ticket in (first, other))
    eventually(lambda: serving.redis.get(theirs))
    serving.redis.copy(theirs, mine, replace=True)
    with pytest.raises(NotVerified):
        signoff.resume(first.id).wait(60)
    with pytest.raises(NotVerified):
        signoff.get(first.id)
    arrived = next(iter(signoff.decisions()))
    assert arrived.receipt.id == other.id, "what does not verify is passed over"
