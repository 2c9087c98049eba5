"""The fixture for tests of agents plays what else people do: they note something, and undo what ran."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from signoff import Signoff
from signoff.client import scripted, testing
from signoff.client import undo as undos
from signoff.client.client import AsyncSignoff
from signoff.client.testing import Approvals
from signoff.errors import Rejected

signoff_approvals = testing.signoff_approvals
client = Signoff(redis_url="redis://nowhere.invalid:1", agent="real")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only what this test registers; no thread of the registration outlives it."""
    monkeypatch.setattr(undos, "REGISTERED", [])
    monkeypatch.setattr(undos, "start", lambda *_: None)
    yield


def ask(action: str = "refund.create") -> Any:
    return client.ask(action, {"amount": 120}, reversible=True, timeout=5)


def test_what_was_approved_is_undone_by_the_function_that_was_registered(
    signoff_approvals: Approvals,
) -> None:
    called = list[tuple[str, int]]()

    @client.undo("refund.cancel")
    def cancel(id: str, amount: int) -> None:
        called.append((id, amount))

    @client.undo("mail.unsend")
    async def unsend(id: str) -> None:
        raise ConnectionError("secret")

    signoff_approvals.approve()
    receipt = ask()
    outcome = signoff_approvals.undo("refund.*", {"id": "re_7", "amount": 120}, action="refund.cancel")
    assert outcome.succeeded and called == [("re_7", 120)] and receipt.undoes is None
    failed = signoff_approvals.undo(signoff_approvals.requests[0], {"id": "m"}, action="mail.unsend")
    assert (failed.succeeded, failed.note) == (False, "ConnectionError")
    unfit = signoff_approvals.undo("*", {"id": "re_7", "amount": "much"}, action="refund.cancel")
    assert (unfit.succeeded, unfit.note) == (False, "Invalid") and len(called) == 1
    assert len(signoff_approvals.outcomes) == 3
    for more, said in (({"action": "no.such"}, "Registered: mail.unsend, refund.cancel"), ({}, "Several")):
        with pytest.raises(AssertionError, match=said):
            signoff_approvals.undo("*", {"id": "x"}, **more)


def test_what_nobody_approved_is_not_undone(signoff_approvals: Approvals) -> None:
    client.undo("refund.cancel")(lambda id: None)
    with pytest.raises(AssertionError, match="asked for nothing like"):
        signoff_approvals.undo("refund.*", {"id": "re_7"})
    signoff_approvals.reject()
    with pytest.raises(Rejected):
        ask()
    with pytest.raises(AssertionError, match="was not approved"):
        signoff_approvals.undo("refund.*", {"id": "re_7"})


def test_a_coroutine_undoes_while_a_task_serves(
    signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What serves takes nothing, and does not fail the test because nothing comes."""
    monkeypatch.setattr(scripted, "QUIET_SECONDS", 0.05)
    called = list[str]()

    async def main() -> None:
        async with AsyncSignoff() as signoff:

            @signoff.undo
            async def cancel(id: str) -> None:
                called.append(id)

            serving = asyncio.create_task(signoff.serve_undos())
            await signoff.ask("refund.create", {"amount": 1}, reversible=True)
            assert (await signoff_approvals.undo_async("*", {"id": "re_1"})).succeeded
            done, _ = await asyncio.wait({serving}, timeout=0.2)
            assert not done
            serving.cancel()
            await asyncio.wait({serving})

    signoff_approvals.approve()
    asyncio.run(main())
    assert called == ["re_1"]


def test_what_people_note_comes_with_the_decision(signoff_approvals: Approvals) -> None:
    signoff_approvals.note("Use the old account", "refund.*", by="Ana")
    signoff_approvals.note("Another thing", "mail.*")
    signoff_approvals.approve()
    assert [(note.by, note.text) for note in ask().notes] == [("Ana", "Use the old account")]
    ask("other.thing")
    arrivals = client.decisions()
    first, second = next(arrivals), next(arrivals)
    assert [note.text for note in first.notes] == ["Use the old account"] and second.notes == ()
    arrivals.close()
