"""What a second channel needs: one that prints to a list gets a whole flow through, and knows no Slack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Event

import pytest
from support import Core, a_request

from signoff.approvals.channel import Channel
from signoff.approvals.errors import AlreadyDecided, NotAllowed
from signoff.approvals.service import Approvals
from signoff.approvals.sweep import Sweep
from signoff.errors import Limited
from signoff.models.messages import Outcome
from signoff.models.people import Directory
from signoff.queue import stream

ROOM = "the printer"


class Printer:
    """Prints each revision of an approval on a line of its own; a line's number is its message."""

    name = "print"

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.lines: list[str] = []
        self.admins: list[str] = []
        self.approvals: Approvals

    def deliver(self, approval_id: str) -> None:
        approval = self.approvals.get(approval_id)
        assert approval.card and approval.card.channel == self.name
        if approval.card.shown_revision < approval.revision:
            by = f" by {approval.decision.name}" if approval.decision else ""
            line = f"{approval.action} {approval.payload_text}: {approval.status}{by}"
            self.lines.append(line)
            self.approvals.cards.note_shown(approval, ROOM, str(len(self.lines)), None, line)

    def run(self, stop: Event) -> None:
        stop.wait()

    def warn(self, agent: str) -> None:
        self.lines.append(f"{agent} asks for too much")

    def tell_admins(self, faults: Sequence[str]) -> bool:
        self.admins += faults
        return True


@pytest.fixture
def printer(core: Core) -> Iterator[Printer]:
    """In the place of Slack: everything that changes is printed at once."""
    found = Printer(core.people)
    approvals = Approvals(
        core.store,
        core.approvals._receipts,
        core.approvals.publisher,
        lambda: core.policy,
        found.directory,
        found.deliver,
        channel=found.name,
    )
    found.approvals = core.approvals = approvals
    yield found


def test_a_request_is_shown_decided_by_a_person_and_reported(core: Core, printer: Printer) -> None:
    channel: Channel = printer  # nothing that a channel has to offer is missing
    approval = core.submit()
    assert printer.lines == ['refund.create {"amount":120,"customer":"cus_42"}: pending']
    assert core.store.get(approval.id).shown_at  # type: ignore[union-attr]
    with pytest.raises(NotAllowed):
        core.approvals.decide(approval.id, 1, "U0MIA", "approve")
    corrected = {"amount": 80, "customer": "cus_42"}
    core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload=corrected)
    assert printer.lines[1:] == ['refund.create {"amount":80,"customer":"cus_42"}: approved by ana']
    with pytest.raises(AlreadyDecided):
        core.approvals.decide(approval.id, 2, "U0BEN", "reject")
    told = stream.response(core.redis, approval.agent, approval.request_id)
    assert told and (told.status, told.payload) == ("approved", '{"amount":80,"customer":"cus_42"}')
    core.approvals.report(approval.agent, approval.request_id, Outcome(succeeded=True))
    row = core.store.get(approval.id)
    assert row and row.card and row.card.shown_revision == row.delivered_revision == row.revision
    assert (row.card.channel, row.card.conversation, row.card.message) == ("print", ROOM, "3")
    assert channel.tell_admins(["policy.yml:2: wrong"]) and printer.admins == ["policy.yml:2: wrong"]


def test_sweep_has_what_was_missed_told_and_an_agent_that_asks_too_much(core: Core, printer: Printer) -> None:
    core.follow("agents: {'*': {limits: {pending: 1}}}\nautonomy: supervised")
    approval = core.submit()
    with pytest.raises(Limited):
        core.submit(payload={"amount": 1})
    with core.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE approval SET expires_at = 1")
    Sweep(core.approvals, printer.warn).step()
    assert printer.lines[1:] == [
        'refund.create {"amount":120,"customer":"cus_42"}: expired',
        "billing-bot asks for too much",
    ]
    assert core.store.get(approval.id).status == "expired"  # type: ignore[union-attr]


def test_people_are_whom_the_channels_directory_says(core: Core, printer: Printer) -> None:
    approval = core.approvals.submit("billing-bot", a_request())
    core.people.persons["U0ANA"] = replace(core.people.persons["U0ANA"], guest=True)
    with pytest.raises(NotAllowed, match="members"):
        core.approvals.decide(approval.id, 1, "U0ANA", "reject")
