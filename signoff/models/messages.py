"""What travels between an agent and the server: requests, decisions, receipts; frozen.

The wire is fixed by the design: changing a name here is a protocol break.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, PrivateAttr, StringConstraints, ValidationError

from signoff.errors import Invalid
from signoff.models import identity, spans
from signoff.models.bodies import ACTION, Prose
from signoff.models.bodies import Cancel as Cancel
from signoff.models.bodies import CanUndo as CanUndo
from signoff.models.bodies import Freeze as Freeze
from signoff.models.bodies import Outcome as Outcome
from signoff.models.bodies import Reply as Reply
from signoff.models.bodies import Spend as Spend
from signoff.models.receipt import NoteSaid, Wire
from signoff.models.texts import check_texts, sentence
from signoff.models.wire import AGENT as AGENT
from signoff.models.wire import VERSION as VERSION
from signoff.payload.canonical import canonical, count, digest, parse
from signoff.payload.gaps import MOST_KEPT, NO_SCHEMA, WHOLE, Gap
from signoff.payload.order import order_of, ordered

MAX_ENTRY = 512 * 1024
"""Bytes of a request as it stands in the stream."""
MAX_PAYLOAD = 256 * 1024
"""Bytes of a payload's canonical text."""
MAX_VALUES = 10_000
"""Values in payload, context and schema together: each object, list and scalar, and each name in an object.

So many that the worst request costs each role less than 0.25 s (`make bench`, "costs").
"""
_LEFT_OUT = "schema_left_out"
_ORDER = "order_sent"
_BESIDE = 200
"""Values that a request's other fields may hold, at most."""
MOST_VALUES = MAX_VALUES + _BESIDE
"""Values of a whole request."""
MAX_EXPIRES_IN = 30 * 24 * 3600
DEFAULT_EXPIRES_IN = 24 * 3600
"""Seconds until an unanswered request ends, at most, and without another word."""

Vote = Literal["approve", "reject", "answer"]
Reversibility = Literal["reversible", "costly", "irreversible"]
Risk = Literal["low", "medium", "high", "critical"]

Action = Annotated[str, StringConstraints(pattern=ACTION)]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
BatchName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""What an agent calls requests that it asks together: 128 random bits."""


class ApprovalRequest(Wire):
    """What an agent asks. All but action and payload is a claim of the agent's.

    `id` commits to kind, agent, action, payload and `nonce`: see `signoff.models.identity`. Only rows of
    before that rule have no nonce.

    Lengths are in characters, `expires_in` in seconds, `confidence` from 0 to 1, `cost` in whatever
    currency the policy counts in. `editable` names the fields that a person may change. `traceparent` is the
    span that asks. `batch` is shared by requests that are shown together (`Freeze`). `interpretation` is
    which one of several ways of reading its task the agent has taken.
    """

    id: uuid.UUID
    nonce: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")] = ""
    kind: str = "approval"
    action: Action
    payload: dict[str, Any]
    reason: Prose = ""
    reversibility: Reversibility | None = None
    risk: Risk | None = None
    undo: Prose = ""
    impact: Prose = ""
    alternatives: tuple[Prose, ...] = Field(default=(), max_length=10)
    context: dict[str, Any] = Field(default_factory=dict)
    tags: tuple[Tag, ...] = Field(default=(), max_length=20)
    cost: float | None = Field(default=None, ge=0)
    confidence: float | None = Field(default=None, ge=0, le=1)
    attempts: int | None = Field(default=None, ge=0)
    run: Annotated[str, StringConstraints(max_length=100)] | None = None
    key: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    editable: bool | tuple[str, ...] = True
    expires_in: int = Field(default=DEFAULT_EXPIRES_IN, ge=1, le=MAX_EXPIRES_IN)
    title: Annotated[str, StringConstraints(max_length=150)] = ""
    conversation: Annotated[str, StringConstraints(max_length=80)] | None = None
    requested_by: Annotated[str, StringConstraints(max_length=200)] = ""
    batch: BatchName | None = None
    interpretation: Prose = ""
    traceparent: Annotated[str | None, BeforeValidator(spans.checked)] = None
    _gaps: tuple[Gap, ...] = PrivateAttr(())

    @property
    def schema_gaps(self) -> tuple[Gap, ...]:
        """The server's own note, not on the wire: what of the schema that was sent could not be used."""
        return self._gaps

    @property
    def schema_left_out(self) -> bool:
        """True where a schema was sent, and nothing of it could be used."""
        return self.json_schema is None and bool(self._gaps)

    @cached_property
    def payload_text(self) -> str:
        """The payload's canonical text, made once."""
        return canonical(self.payload)

    @property
    def digest(self) -> str:
        """By which all parties know the payload."""
        return digest(self.payload_text)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; what was made of the payload is made anew for another one."""
        copy = super().model_copy(update=update, deep=deep)
        if update and "payload" in update:
            copy.__dict__.pop("payload_text", None)
        return copy

    def with_text(self, text: str) -> Self:
        """The same, told its payload's canonical text by whoever has made that already."""
        self.__dict__["payload_text"] = text
        return self

    def with_schema(self, schema: dict[str, Any] | None, gaps: tuple[Gap, ...]) -> Self:
        """The same with what could be used of its schema, and with a note of what could not."""
        copy = self.model_copy(update={"json_schema": schema})
        copy._gaps = tuple(dict.fromkeys((*self._gaps, *gaps)))[:MOST_KEPT]
        return copy

    def commits(self, agent: str) -> bool:
        """Whether its id is the one of just this request, asked by this agent."""
        made = identity.request_id(self.kind, agent, self.action, self.digest, self.nonce)
        return self.nonce != "" and self.id == made

    def claims(self) -> str:
        """All but the payload, as JSON text: how the row keeps it."""
        said = self.model_dump_json(by_alias=True, exclude={"payload", "traceparent"}, exclude_defaults=True)
        notes: dict[str, Any] = {_LEFT_OUT: [gap.saved() for gap in self._gaps]} if self._gaps else {}
        if order := order_of(self.payload):
            notes[_ORDER] = order
        return f"{json.dumps(notes, separators=(',', ':'))[:-1]},{said[1:]}" if notes else said

    @classmethod
    def from_rows(cls, claims: str, payload: dict[str, Any]) -> ApprovalRequest:
        """The request again, from `claims()` and its payload, whose names get the order they were sent in."""
        said = json.loads(claims)
        saved = said.pop(_LEFT_OUT, False)
        payload = ordered(payload, said.pop(_ORDER, []))
        request = cls.model_validate({**said, "payload": payload})
        if isinstance(saved, list):
            request._gaps = tuple(gap for gap in map(Gap.read, saved) if gap)
        elif saved:  # a row of before it was known what
            request._gaps = (WHOLE,)
        return request

    def encode(self) -> str:
        """The body of a stream entry; raises Invalid when it is too large or not canonical JSON."""
        self.check_size()
        body = self.model_dump_json(by_alias=True, exclude_defaults=True)
        if len(body.encode()) > MAX_ENTRY:
            raise Invalid(f"The request has {len(body.encode()):,} bytes; at most {MAX_ENTRY:,} are taken.")
        return body

    def check_size(self) -> None:
        """Raise Invalid where payload or context are not canonical JSON, too large, or of too many values."""
        room = self.room_for_schema()
        values = 0 if self.json_schema is None else count(canonical(self.json_schema, "schema"))
        if values > room:
            raise _too_many("Payload, context and schema", MAX_VALUES - room + values)

    def room_for_schema(self) -> int:
        """Values that a schema may have beside payload and context; raises Invalid where these have too many,
        are too large, or not canonical JSON.
        """
        size = len(self.payload_text.encode())
        if size > MAX_PAYLOAD:
            raise Invalid(f"The payload has {size:,} bytes; at most {MAX_PAYLOAD:,} are taken.")
        values = count(self.payload_text) + count(canonical(self.context, "context"))
        if values > MAX_VALUES:
            raise _too_many("Payload and context", values)
        return MAX_VALUES - values

    @classmethod
    def decode(cls, body: str | bytes) -> ApprovalRequest:
        """A stream entry's body → the request; raises Invalid, saying what is wrong with it."""
        size = len(body if isinstance(body, bytes) else body.encode())
        if size > MAX_ENTRY:
            raise Invalid(f"The request has {size:,} bytes; at most {MAX_ENTRY:,} are taken.")
        return cls.read(parse(body, MOST_VALUES))

    @classmethod
    def read(cls, values: Any) -> ApprovalRequest:
        """What JSON says, `parse`d → the request; raises Invalid as `decode`."""
        gaps = tuple[Gap, ...]()
        if isinstance(values, dict) and not isinstance(values.get("schema"), dict | None):
            del values["schema"]
            gaps = (NO_SCHEMA,)
        request = build(cls, values).with_fitting_schema()
        request._gaps = (*gaps, *request._gaps)
        request.encode()
        return request

    def with_fitting_schema(self) -> Self:
        """The same; where its schema is no canonical JSON or of too many values, with what can be used of it.

        Raises Invalid as `room_for_schema` does.
        """
        room = self.room_for_schema()
        if self.json_schema is None:
            return self
        try:
            if count(canonical(self.json_schema, "schema")) <= room:
                return self
        except Invalid:
            pass
        from signoff.payload.usable import usable  # its validator takes a while to load

        found = usable(self.json_schema, room)
        return self.with_schema(found.schema, found.gaps)


class Decision(Wire):
    """One approver's vote on one version. `payload` is set where they corrected it, `answer` where they
    answered a question.

    `resubmit` tells a rejected agent to come back with changes. `at` is None until it is recorded. `seat` is
    the name of the seat that it fills, `fits` those of all that it could have filled; empty where there is
    only one. `self_approved` says that they own the agent, that it asked for them, or that they changed the
    payload. `deputy_for` is in whose place they voted, where it was not their own.
    """

    vote: Vote
    approver: str
    name: str
    reason: str = ""
    resubmit: bool = False
    payload: dict[str, Any] | None = None
    second_factor: str | None = None
    answer: dict[str, Any] | None = None
    at: datetime | None = None
    deputy_for: str | None = None
    seat: str = ""
    fits: tuple[str, ...] = ()
    self_approved: bool = False


class Response(Wire):
    """What stands under an agent's decision key: `pending` once received, later the receipt.

    Once an approved action is spent or reported it is `duplicate`; `spent` is the receipt that it was
    approved by, which a server takes up that was restored from before. `notes` are people's, for the agent.
    `held` says who has stopped what is pending: nobody decides on it until somebody resumes it.
    """

    v: int = VERSION
    status: str
    action: str | None = None
    expires_at: int | None = None
    receipt: str | None = None
    payload: str | None = None
    permalink: str | None = None
    spent: str | None = None
    notes: tuple[NoteSaid, ...] | None = None
    held: str | None = None

    def encode(self) -> str:
        """JSON text."""
        return self.model_dump_json(exclude_none=True)

    @classmethod
    def decode(cls, text: str | bytes) -> Response:
        """JSON text → response; raises Invalid. Fields of a later server are passed over."""
        found = parse(text)
        if isinstance(found, dict):
            found = {name: value for name, value in found.items() if name in cls.model_fields}
        return build(cls, found)


W = TypeVar("W", bound=Wire)


def _too_many(what: str, values: int) -> Invalid:
    return Invalid(
        f"{what} hold {values:,} values; at most {MAX_VALUES:,} are taken, with every name and every entry: "
        "send fewer, or a summary and where the rest is."
    )


def build(kind: type[W], values: Any) -> W:
    """Values → message; raises Invalid with one sentence for each fault."""
    try:
        found = kind.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False)
        raise Invalid(" ".join(map(sentence, faults[:5]))) from None
    check_texts(found)
    return found


def moment(microseconds: int) -> datetime:
    """A row's time → an aware datetime in UTC."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def payload_digest(payload: dict[str, Any]) -> str:
    """The digest by which all parties know a payload."""
    return digest(canonical(payload))
