"""Which requests share a card: what an agent has sent together, as far as the policy lets it be shown so.

Until its agent has said that all of a batch is there, everything of it that asks somebody waits unseen. Then
those stay that may share a card, and of them those that ask the same people in the same place: the largest
such group, as many as the policy has on one card. All others get cards of their own, and so does what comes
once the card stands: who has read that card has not seen it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from signoff.errors import Invalid
from signoff.models import batch_rows
from signoff.models.messages import ApprovalRequest
from signoff.models.verdict import Verdict
from signoff.policy.placements import group_of
from signoff.policy.policy import Policy

DROPPED = (
    "Its batch was never finished: its agent has not said in time that these were all, so nobody was asked. "
    "Ask again, under another key."
)
"""Why what was sent for a batch ends that nobody has frozen."""
SHARES = "approval"
"""The only kind of request that shares a card."""


def join(
    connection: Connection, policy: Policy, agent: str, request: ApprovalRequest, verdict: Verdict, at: int
) -> int | None:
    """The id of the batch whose card will show a request that is new; None where it has a card of its own.

    Raises Invalid where its batch was dropped.
    """
    if request.batch is None or request.kind != SHARES:
        return None
    batch = batch_rows.join(connection, agent, request.batch, at)
    if batch.state == "dropped":
        raise Invalid(DROPPED)
    if batch.ids is None:
        return batch.id
    if str(request.id) not in batch.ids:
        return None
    if len(batch_rows.known(connection, batch.ids)) + 1 >= len(batch.ids):
        batch_rows.complete(connection, batch.id)
    if batch.drawn or policy.batch.why_alone(request.action, verdict):
        return None
    if batch_rows.held(connection, batch.id) >= policy.batch.most:
        return None
    first = batch_rows.founder(connection, batch.id)
    if first and group_of(Verdict.model_validate_json(first.verdict)) != group_of(verdict):
        return None
    batch_rows.place(connection, batch.id, verdict.conversation)
    return batch.id


def staying(
    policy: Policy, rows: Sequence[Any], order: Mapping[str, int]
) -> tuple[list[str], Verdict | None]:
    """Of a batch that is frozen now, the ids that stay in it, and the verdict of the first of them.

    `rows` are what waits in it, as `batch_rows.waiting` gives it; `order` is of the ids that were frozen.
    """
    may: list[tuple[str, Verdict]] = []
    for row in sorted((row for row in rows if row.id in order), key=lambda one: order[one.id]):
        verdict = Verdict.model_validate_json(row.verdict)
        if row.kind == SHARES and not policy.batch.why_alone(row.action, verdict):
            may.append((row.id, verdict))
    if not may:
        return [], None
    largest = Counter(group_of(verdict) for _, verdict in may).most_common(1)[0][0]
    same = [(one, verdict) for one, verdict in may if group_of(verdict) == largest][: policy.batch.most]
    return [one for one, _ in same], same[0][1]
