"""What has to be so of each request of the machines beside the first, and what everybody's books then say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from faults import promises
from faults.keepers import kept
from sqlalchemy import text

from signoff import receipts
from signoff.approvals import audit
from signoff.models.messages import ApprovalRequest, payload_digest
from signoff.models.talks import Message
from signoff.queue import stream

VOTES = {"approved": "approve", "rejected": "reject", "answered": "answer"}
LINES = text(
    "SELECT e.approval_id, e.kind, e.data FROM audit_event e LEFT JOIN approval a ON a.id = e.approval_id "
    "WHERE a.agent = :agent OR (e.kind = 'batch' AND e.actor = :agent)"
)
DECISIONS = text("SELECT approver, vote, version FROM decision WHERE approval_id = :id")


@dataclass(eq=False, repr=False)
class Item:
    """What has to be so of one request. `by` is who has ended it; empty: nobody, or the policy.

    `receipt` is the first that was seen. What is `let` run needs nobody's vote. `talks` are the questions to
    its agent, by id, with the answer that counts; None: there is none. `notes` are what its agent gets with
    the receipt.
    """

    sent: ApprovalRequest
    approval_id: str
    status: str = "pending"
    version: int = 1
    payload: dict[str, Any] = field(default_factory=dict)
    by: str = ""
    answer: dict[str, Any] | None = None
    let: bool = False
    ran_out: bool = False
    has_run: bool = False
    receipt: str | None = None
    talks: dict[str, str | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    undoes: str | None = None
    handed: list[str] = field(default_factory=list)
    """Whom people have handed it to, one after the other."""
    said: str = ""
    """What somebody has said of its outcome."""

    def __repr__(self) -> str:
        return f"{self.sent.action} {self.payload.get('n', self.approval_id[:8])} ({self.status})"

    @property
    def waits(self) -> bool:
        return self.status == "pending" and not self.ran_out

    @property
    def question(self) -> bool:
        return self.sent.kind == "question"

    def ends(self, status: str, by: str = "") -> None:
        assert self.status == "pending", "it has one end"
        self.status, self.by = status, by


class Ledger:
    """Compares what is known of an agent's requests with rows, receipts, the stream and the log."""

    def __init__(self, parts: Any, redis: Any, verify_key: str, agent: str) -> None:
        self._parts, self._redis, self._agent = parts, redis, agent
        self.keys = receipts.verify_keys(verify_key)
        self.items: list[Item] = []
        self.batches: set[int] = set()
        """Those that were frozen."""
        self.refused: set[str] = set()
        """Ids under which the agent was told that what it sent was not taken."""

    def check(self, item: Item) -> Any:
        """One request, as row and agent have it; its row."""
        row = self._parts.approvals.get(item.approval_id)
        assert (row.status, row.version, row.payload) == (item.status, item.version, item.payload)
        assert (row.receipt is None) == row.pending, "what waits is not signed, and what has ended is"
        item.receipt = item.receipt or row.receipt
        assert row.receipt == item.receipt, "one end, and one receipt"
        with self._parts.store.reading() as connection:
            votes = [tuple(one) for one in connection.execute(DECISIONS, {"id": row.id})]
        assert votes == ([(item.by, VOTES[item.status], item.version)] if item.by else [])
        assert item.by or item.let or item.status not in VOTES, "nobody decided, and no policy let it run"
        assert (row.decision.answer if row.decision else None) == item.answer
        assert {one.id: one.answer for one in row.talks} == item.talks
        assert [one.text for one in row.notes] == item.notes
        assert (row.undoes, row.handed_to) == (item.undoes, item.handed[-1] if item.handed else None)
        assert (row.feedback.answer if row.feedback else None) == (item.said or None)
        self._told(item)
        return row

    def _told(self, item: Item) -> None:
        """What its agent can read, if it can, is the row's one receipt and holds."""
        answer = stream.response(self._redis, self._agent, str(item.sent.id))
        if answer is None or answer.status == "pending":
            return
        if answer.status == "duplicate":
            assert item.has_run and answer.spent == item.receipt
            return
        assert answer.receipt == item.receipt, "a request has one answer"
        sent = {"request_id": str(item.sent.id), "digest_sent": payload_digest(item.sent.payload)}
        receipt = receipts.accept(answer, self.keys, agent=self._agent, **sent)
        assert receipt.status == item.status and receipt.kind == item.sent.kind
        assert receipt.answer == item.answer, "nothing is an answer but what somebody has given"
        assert receipt.approved == (item.status == "approved" and not item.question)
        assert (receipt.decided_by.id if receipt.decided_by else "") == item.by
        assert [one.text for one in receipt.notes or ()] == item.notes
        assert receipt.undoes == item.undoes
        if receipt.approved:
            assert receipt.payload == item.payload
        else:
            assert answer.payload is None, "what is not approved comes with nothing to run"

    def check_stream(self) -> None:
        """All that is on the agent's stream is a request's answer, or a question that holds."""
        asked = {talk: item for item in self.items for talk in item.talks}
        known = {str(item.sent.id) for item in self.items}
        for _, fields in self._redis.xrange(stream.decisions(self._agent)):
            entry_id = fields[b"id"].decode()
            if fields.get(b"kind") != b"message":
                assert entry_id in known or entry_id in self.refused
                continue
            item = asked[entry_id]
            if body := self._redis.get(stream.message(self._agent, entry_id)):
                message = Message.model_validate_json(body)
                found = receipts.accept_inquiry(message, self.keys, agent=self._agent, talk_id=entry_id)
                assert (found.request_id, found.action) == (str(item.sent.id), item.sent.action)

    def check_books(self, undoing: bool) -> None:
        """As an installation's books are checked that was at rest; `undoing` where no time of an undo was
        moved.
        """
        verify = lambda token, agent: receipts.verify(token, self.keys, agent)  # noqa: E731
        found = [*promises.check(kept(self._parts.store, self._redis, self.keys), verify)]
        assert not [one for one in found if undoing or one[0] != "undo"], found

    def check_log(self) -> None:
        """Everything stands in the log once, and the whole log verifies with its rows."""
        with self._parts.store.reading() as connection:
            found = connection.execute(LINES, {"agent": self._agent})
            lines = [(one, kind, json.loads(data)) for one, kind, data in found]
        counted = Counter((one, kind) for one, kind, _ in lines)
        signed = {one: said["signed"] for one, kind, said in lines if kind == "receipt"}
        for item in self.items:
            one, ended = item.approval_id, item.status != "pending"
            assert counted[one, "submit"] == 1 and counted[one, "receipt"] == ended
            assert counted[one, "decision"] == bool(item.by)
            assert (counted[one, "note"], counted[one, "handed"]) == (len(item.notes), len(item.handed))
            answers = sum(said is not None for said in item.talks.values())
            assert counted[one, "talk"] == len(item.talks) + answers
            assert counted[one, "feedback"] == bool(item.said)
            assert counted[one, "spend"] + counted[one, "outcome"] <= 2 and counted[one, "held"] <= 1
            if ended:
                assert signed[one] == sha256((item.receipt or "").encode()).hexdigest()
        assert {one.approval_id for one in self.items} == {one for one, kind, _ in lines if kind == "submit"}
        frozen = [said["batch"] for _, kind, said in lines if kind == "batch" and "size" in said]
        assert len(frozen) == len(self.batches), "a batch is frozen once"
        verified = audit.verify(self._parts.store, keys=self.keys)
        assert verified.ok, verified
