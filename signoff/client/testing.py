"""For tests of agents that use Signoff: scripted approvals, without server, Redis or Slack.

Installing Signoff gives pytest the fixture `signoff_approvals`. While a test uses it, every client in the
process, also one made when a module was imported, is answered by the test:

    def test_a_refund_is_made_with_the_corrected_amount(signoff_approvals):
        signoff_approvals.edit("refund.*", {"amount": 80})
        assert my_agent.handle(ticket) == "refunded 80"
        assert signoff_approvals.requests[0].payload["amount"] == 120

Where agents are to wait, in threads or tasks, and the test decides meanwhile:

    signoff_approvals.hold()
    working = [asyncio.create_task(my_agent.handle(ticket)) for ticket in two_tickets]
    await signoff_approvals.wait_for_async(requests=2)
    signoff_approvals.approve(signoff_approvals.requests[0])
    signoff_approvals.reject()

Nothing is approved that the test has not said. Receipts are really signed, with a key made for the test:
no client or executor with a real verify key accepts one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

# The rest of Signoff is imported where it is used: pytest loads this module wherever it is installed.
from signoff.client.script import AGENT, Approvals

__all__ = ["AGENT", "Approvals", "signoff_approvals"]


@pytest.fixture
def signoff_approvals(monkeypatch: pytest.MonkeyPatch) -> Iterator[Approvals]:
    """Answers every Signoff client in this process for one test: see `Approvals`."""
    from signoff.client import client
    from signoff.client.scripted import ScriptedExchange
    from signoff.receipts import Signer, verify_keys

    approvals, signer = Approvals(), Signer.generate()
    exchange = ScriptedExchange(approvals, signer)
    substitute = client.Substitute(exchange, AGENT, verify_keys(signer.verify_key))
    monkeypatch.setattr(client, "substitute", substitute)
    yield approvals
    exchange.end()
    if approvals._faults:
        pytest.fail(approvals._faults[0], pytrace=False)
