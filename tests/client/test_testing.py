"""The fixture for tests of agents: it answers as scripted, and nothing else is ever approved."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from signoff import Signoff
from signoff.client import client, scripted, testing
from signoff.client.client import AsyncSignoff, Pending
from signoff.client.testing import Approvals
from signoff.errors import (
    AlreadySpent,
    Blocked,
    Cancelled,
    ConfigError,
    Expired,
    Invalid,
    NotVerified,
    Rejected,
    WaitTimeout,
)
from signoff.models.receipt import Receipt
from signoff.receipts import Signer, verify, verify_keys

signoff_approvals = testing.signoff_approvals

A_REAL_KEY = Signer.generate().verify_key
made_at_import = Signoff(redis_url="redis://nowhere.invalid:1", agent="real", verify_key=A_REAL_KEY)
REFUND = {"customer": "cus_42", "amount": 120}


def ask(action: str = "refund.create", **more: object) -> Receipt:
    return made_at_import.ask(action, REFUND, reversible=True, timeout=5, **more)  # type: ignore[arg-type]


def test_a_client_made_when_the_module_was_imported_is_answered(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve("refund.create", by="Ana", note="as agreed")
    receipt = ask()
    assert receipt.payload == REFUND
    assert receipt.decided_by is not None
    assert (receipt.decided_by.name, receipt.reason, receipt.edited) == ("Ana", "as agreed", False)
    assert [request.action for request in signoff_approvals.requests] == ["refund.create"]


def test_an_asynchronous_client_is_answered_too(signoff_approvals: Approvals) -> None:
    async def main() -> Receipt:
        async with AsyncSignoff() as signoff:
            ticket = await signoff.request("refund.create", REFUND, reversible=True)
            return await ticket.wait()

    signoff_approvals.edit("*", {"amount": 80})
    receipt = asyncio.run(main())
    assert receipt.edited
    assert receipt.payload == {"customer": "cus_42", "amount": 80}
    assert receipt.version == 2


def test_each_status_is_what_the_client_raises(signoff_approvals: Approvals) -> None:
    signoff_approvals.reject("a.*", "Wrong customer", resubmit=True, by="Ben")
    signoff_approvals.expire("b")
    signoff_approvals.block("c", "never")
    with pytest.raises(Rejected, match="Ben: Wrong customer") as caught:
        ask("a.x")
    assert caught.value.receipt is not None
    assert caught.value.receipt.resubmit
    assert caught.value.receipt.payload is None
    with pytest.raises(Expired):
        ask("b")
    with pytest.raises(Blocked):
        ask("c")


def test_what_was_said_last_holds(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    signoff_approvals.reject("refund.*")
    assert ask("mail.send").approved
    with pytest.raises(Rejected):
        ask("refund.create")


def test_a_pending_request_can_be_waited_for_cancelled_and_decided_later(
    signoff_approvals: Approvals,
) -> None:
    signoff_approvals.leave_pending()
    first = made_at_import.request("refund.create", REFUND, reversible=True)
    second = made_at_import.request("refund.create", REFUND, reversible=True)
    with pytest.raises(WaitTimeout):
        first.wait(timeout=600)
    assert isinstance(first.get(), Pending)
    assert second.cancel("not needed").status == "cancelled"
    signoff_approvals.approve()
    assert Signoff().resume(first.id, first.digest).wait(timeout=5).payload == REFUND
    with pytest.raises(Cancelled):
        second.wait(timeout=5)
    assert made_at_import.received(first.id, 1)
    assert first.cancel().status == "approved"


def test_an_unknown_request_has_no_state(signoff_approvals: Approvals) -> None:
    assert made_at_import.get("018f6b1e-0000-7000-8000-000000000000") is None


def test_asking_again_with_the_same_key_attaches_and_other_content_is_invalid(
    signoff_approvals: Approvals,
) -> None:
    signoff_approvals.approve()
    first = ask(key="k")
    assert (
        made_at_import.request("refund.create", first.payload or {}, key="k", reversible=True).id == first.id
    )
    with pytest.raises(AlreadySpent):  # one run an approval, here as there
        ask(key="k")
    assert len(signoff_approvals.requests) == 1
    with pytest.raises(Invalid, match="key"):
        made_at_import.ask("refund.create", {"amount": 1}, key="k", reversible=True)


def test_reports_are_kept(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    receipt = ask()
    made_at_import.report(receipt.id, succeeded=False, note="card closed")
    assert signoff_approvals.outcomes[receipt.id].note == "card closed"


def test_receipts_are_refused_by_a_real_key(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    token = ask().token
    assert client.substitute is not None
    assert verify(token, client.substitute.verify_keys, testing.AGENT).approved
    with pytest.raises(NotVerified):
        verify(token, verify_keys(A_REAL_KEY), testing.AGENT)


def test_the_next_test_has_no_substitute() -> None:
    assert client.substitute is None
    with pytest.raises((ConfigError, OSError)):
        Signoff(redis_url="redis://127.0.0.1:1", agent="a", verify_key=A_REAL_KEY).request(
            "a", {}, reversible=True
        )


@pytest.mark.parametrize("kind", ["blocking", "async", "async of any loop"])
def test_decisions_come_as_the_test_says_and_again_until_they_are_acknowledged(
    signoff_approvals: Approvals, kind: str
) -> None:
    """What is decided, in that order; what is asked or decided later wakes who reads."""
    signoff_approvals.approve()
    signoff_approvals.leave_pending("later")
    signoff_approvals.reject("no")
    first, later, no = (
        made_at_import.request(action, REFUND, reversible=True).id for action in ("a", "later", "no")
    )

    def once_waiting() -> None:
        signoff_approvals.edit("later", {"amount": 80})
        made_at_import.request("no", {"another": 1}, reversible=True)

    def read(count: int, ack: bool, group: str = "default") -> list[Receipt]:
        found = []
        for delivery in made_at_import.decisions(group):
            found.append(delivery.receipt)
            if ack:
                delivery.ack()
            if len(found) == count:
                break
            if len(found) == 2:
                threading.Thread(target=once_waiting).start()
        return found

    async def read_async(count: int, ack: bool, group: str = "default") -> list[Receipt]:
        client = AsyncSignoff() if kind == "async" else made_at_import
        found = []
        async with aclosing(client.decisions_async(group)) as arrivals:
            async for delivery in arrivals:
                found.append(delivery.receipt)
                if ack:
                    await delivery.ack()
                if len(found) == count:
                    break
                if len(found) == 2:
                    asyncio.get_running_loop().call_soon(once_waiting)
        return found

    def reads(*given: Any) -> list[Receipt]:
        return read(*given) if kind == "blocking" else asyncio.run(read_async(*given))

    assert [one.id for one in reads(1, False)] == [first]
    found = reads(4, True)
    assert [one.id for one in found[:3]] == [first, no, later], "what was not acknowledged comes again"
    assert [one.status for one in found] == ["approved", "rejected", "approved", "rejected"]
    assert found[2].payload == {"customer": "cus_42", "amount": 80}
    made_at_import.request("a", {"last": 1}, reversible=True)
    assert [one.payload for one in reads(1, True)] == [{"last": 1}]
    assert [one.id for one in reads(1, True, "another")] == [first]


def test_decisions_that_never_come_fail_the_test_and_say_what_to_write(
    signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "QUIET_SECONDS", 0.05)
    signoff_approvals.leave_pending()
    with pytest.raises(AssertionError, match=r"decisions\(\).*all that was asked has come.*approve\(\)"):
        next(iter(made_at_import.decisions()))
    made_at_import.request("refund.create", REFUND, reversible=True)
    with pytest.raises(AssertionError, match=r"left undecided: refund\.create"):
        next(iter(made_at_import.decisions()))
    assert len(signoff_approvals._faults) == 2
    signoff_approvals._faults.clear()  # or they would fail this test, as they should an agent's
    signoff_approvals.hold()
    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(lambda: [one.receipt.status for one in made_at_import.decisions()])
        with pytest.raises(TimeoutError):
            held.result(0.3)  # held: it waits for longer than that
        signoff_approvals.expire()
        made_at_import.request("refund.create", {"n": 1}, reversible=True)
        signoff_approvals.hold()
        client.substitute.exchange.end()  # type: ignore[union-attr]
        assert held.result(30) == ["expired", "expired"], "the end of the test ends it"


def test_a_key_is_enough_here_too(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    asked = made_at_import.request("refund.create", REFUND, key="call_1", reversible=True)
    found = made_at_import.get(key="call_1")
    assert isinstance(found, Pending) and found.id == asked.id
    ticket = Signoff().resume(key="call_1")
    signoff_approvals.approve()
    assert ticket.wait(timeout=5).payload == REFUND
    made_at_import.report(key="call_1", succeeded=True)
    assert signoff_approvals.outcomes[asked.id].succeeded
    signoff_approvals.hold()
    made_at_import.request("refund.create", REFUND, key="call_2", reversible=True)
    assert made_at_import.cancel(key="call_2", reason="no more").status == "cancelled"
    assert list(signoff_approvals.withdrawn.values()) == ["no more"]
    assert made_at_import.get(key="call_3") is None
    with pytest.raises(Invalid, match="call_3"):
        made_at_import.resume(key="call_3")


def test_agents_in_threads_wait_for_each_other_until_the_test_decides(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold("refund.*")
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(ask)  # a timeout of 5 s
        signoff_approvals.wait_for(requests=1)
        second = threads.submit(made_at_import.ask, "refund.create", REFUND, reversible=True)  # and without
        signoff_approvals.wait_for(requests=2)
        third = threads.submit(made_at_import.ask, "refund.other", REFUND, reversible=True)
        signoff_approvals.wait_for(requests=3)
        assert made_at_import.resume(str(signoff_approvals.requests[0].id)).get() is not None
        assert not any(each.done() for each in (first, second, third))
        signoff_approvals.edit(signoff_approvals.requests[1], {"amount": 80})
        assert second.result(30).payload["amount"] == 80
        assert not first.done()
        signoff_approvals.reject("*.other", "Not this one.")
        with pytest.raises(Rejected, match="Not this one"):
            third.result(30)
        signoff_approvals.approve()
        assert first.result(30).payload["amount"] == 120
        signoff_approvals.hold()
        assert made_at_import.get(first.result().id) == first.result()  # what is decided stays so


def test_tasks_of_any_loop_wait_and_withdraw_and_time_out(signoff_approvals: Approvals) -> None:
    async def main() -> None:
        client = AsyncSignoff()
        signoff_approvals.hold()
        asked = [
            asyncio.create_task(client.ask("a", {"n": 1}, reversible=True)),
            asyncio.create_task(made_at_import.ask_async("a", {"n": 2}, reversible=True)),
            asyncio.create_task(client.ask("a", {"n": 3}, reversible=True)),
        ]
        await signoff_approvals.wait_for_async(requests=3)
        with pytest.raises(WaitTimeout):
            await client.ask("a", {"n": 4}, reversible=True, timeout=0.01)
        gone, *others = sorted(signoff_approvals.requests[:3], key=lambda request: request.payload["n"])
        assert (await client.cancel(str(gone.id), "not needed")).status == "cancelled"
        with pytest.raises(Cancelled, match="not needed"):
            await asked[0]
        asked[1].cancel()
        signoff_approvals.approve()
        assert (await asked[2]).payload == {"n": 3}
        with pytest.raises(asyncio.CancelledError):
            await asked[1]
        await client.report(str(others[1].id), succeeded=True)
        await signoff_approvals.wait_for_async(requests=4, withdrawn=1, outcomes=1)
        assert signoff_approvals.withdrawn == {str(gone.id): "not needed"}
        with pytest.raises(AssertionError, match=r"1 of 2 withdrawn\. Asked was: a, a, a, a"):
            await signoff_approvals.wait_for_async(withdrawn=2, timeout=0.01)

    asyncio.run(main())
    with pytest.raises(AssertionError, match="4 of 5 requests"):
        signoff_approvals.wait_for(requests=5, timeout=0.01)


# The rest runs in a pytest of its own, as an agent's developer would see it.


def run_pytest(folder: Path, text: str, *options: str) -> tuple[int, str]:
    (folder / "test_agent.py").write_text(text)
    root = Path(testing.__file__).parents[2]
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "signoff.testing",
            *options,
            str(folder),
        ],
        env={**os.environ, "PYTHONPATH": str(root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return found.returncode, found.stdout + found.stderr


AGENT = """
from concurrent.futures import ThreadPoolExecutor
from signoff import Signoff
signoff = Signoff()

@signoff.require_approval(reversible=False, editable=["amount"])
def refund(customer: str, amount: int) -> str:
    return f"refunded {amount} to {customer}"

def test_it(signoff_approvals):
    BODY
"""


def test_an_agents_own_tests_run_without_server_or_settings(tmp_path: Path) -> None:
    code, said = run_pytest(
        tmp_path,
        AGENT.replace(
            "BODY",
            "signoff_approvals.edit('refund', {'amount': 80}); assert refund('a', 120) == 'refunded 80 to a'",
        ),
        "-W",
        "error",
    )
    assert code == 0, said


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("refund('a', 1)", "signoff_approvals.approve('refund')"),
        ("signoff_approvals.approve('mail.*'); refund('a', 1)", "has not said what becomes of it"),
        (
            "\n    try: refund('a', 1)\n    except Exception: pass",
            "has not said what becomes of it",
        ),
        ("signoff_approvals.edit('refund', {'customer': 'b'}); refund('a', 1)", "cannot change customer"),
        ("signoff_approvals.edit('refund', {'amount': 'x'}); refund('a', 1)", "must be a whole number"),
        ("signoff_approvals.leave_pending(); refund('a', 1)", "waits without a timeout"),
        (
            "\n    signoff_approvals.hold(); pool = ThreadPoolExecutor(1); pool.submit(refund, 'a', 1)"
            "\n    signoff_approvals.wait_for(requests=1); assert False, 'and nothing hangs'",
            "and nothing hangs",
        ),
    ],
)
def test_what_the_test_has_not_said_fails_it_and_says_what_to_write(
    tmp_path: Path, body: str, message: str
) -> None:
    code, said = run_pytest(tmp_path, AGENT.replace("BODY", body))
    assert code == 1
    assert message in said


def test_loading_the_plugin_loads_nothing_else_of_signoff() -> None:
    program = (
        "import sys, signoff.testing\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('signoff', 'redis', 'pydantic', 'jwt')])"
    )
    root = Path(testing.__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = [f"signoff{name}" for name in ("", ".client", ".client.script", ".client.testing", ".testing")]
    assert found.stdout.strip() == str(loaded)
