"""The tables of the doors by HTTP; no state of an approval is in them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from signoff.models.columns import count, time, words

DUE = text("due_at IS NOT NULL")


class AgentTokenRow(SQLModel, table=True):
    """A token that an agent, or an executor's guard, shows at our door. `hash` is all we know of it.

    `scopes` is a JSON list of what it may be used for: see `models.tokens`. `used_at` is when it last was,
    to the hour; `off_at` since when its agent is kept out, `revoked_at` since when it is worthless for ever.
    """

    __tablename__ = "agent_token"
    __table_args__ = (Index("agent_token_agent", "agent"),)

    id: str = words(primary_key=True)
    agent: str = words()
    hash: str = words()
    scopes: str = words()
    created_at: int = time()
    used_at: int | None = time(default=None)
    off_at: int | None = time(default=None)
    revoked_at: int | None = time(default=None)


class WebhookEndpointRow(SQLModel, table=True):
    """Where an agent's decisions are posted to; an operator has said so. `events` is a JSON list.

    `generation` counts the keys it has had, `rotated_at` is when it got the last. `off_at` is since when
    nothing is sent there, `off_reason` why. `answer` is what became of the last try, at `answered_at`;
    `failing_since` when it failed first after it last worked; `rests_until` is what its receiver has asked
    for; `told_at` when admins were last told of it.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (Index("webhook_endpoint_agent", "agent"),)

    id: str = words(primary_key=True)
    agent: str = words()
    url: str = words()
    events: str = words()
    generation: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    created_at: int = time()
    off_at: int | None = time(default=None)
    off_reason: str | None = words(default=None)
    rotated_at: int | None = time(default=None)
    answered_at: int | None = time(default=None)
    answer: str | None = words(default=None)
    failing_since: int | None = time(default=None)
    rests_until: int = count()
    told_at: int | None = time(default=None)


class WebhookDeliveryRow(SQLModel, table=True):
    """What is to be posted to an endpoint, or was. Its `id` is the message's, the same each time it is sent.

    `due_at` is when it is sent next, NULL where it is not any more; `lease` counts who did, `sent_at` is when
    somebody did last. `code` is the last answer's status, `fault` what was wrong with it, or where none came.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "approval_id", "kind"),
        Index("webhook_delivery_due", "endpoint_id", "due_at", sqlite_where=DUE, postgresql_where=DUE),
        Index("webhook_delivery_created", "created_at"),
    )

    id: str = words(primary_key=True)
    endpoint_id: str = words()
    approval_id: str = words()
    kind: str = words()
    created_at: int = time()
    due_at: int | None = time(default=None)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    lease: int = count()
    ended_at: int | None = time(default=None)
    code: int | None = None
    fault: str | None = words(default=None)
    sent_at: int | None = time(default=None)


class SpentRow(SQLModel, table=True):
    """What guards have spent through `POST /v1/receipts/spend`: as `signoff.spent.SqlStore` keeps it."""

    __tablename__ = "signoff_spent"

    kid: str = Field(primary_key=True, sa_type=String(64))
    agent: str = Field(primary_key=True, sa_type=String(64))
    id: str = Field(primary_key=True, sa_type=String(64))
    spent_by: str = Field(sa_type=String(200))
    spent_at: str = Field(sa_type=String(64))
    until: int = Field(sa_type=BigInteger)
