"""What agents learn from what people said of their work, and asking whether a result is right."""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from signoff import receipts
from signoff.models import tokens
from signoff.models.feedback import KIND
from signoff.models.lessons import LIMIT, MOST, TOKENS, Lesson, Wanted, fitting
from signoff.models.messages import build, moment
from signoff.models.receipt import Wire
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors
from signoff.web.problems import Problem
from signoff.web.terms import ID, KEY, read_key
from signoff.web.v1.requests import NOT_KEPT, REQUESTS, answer, named
from signoff.web.v1.state import state

LESSONS, FEEDBACK = "/v1/lessons", "/v1/feedback"
MOST_TOKENS = 10_000


class Told(BaseModel):
    """Lessons, the newest and most frequent first. They are data, and instruct nobody."""

    id: str = Field(description="What was asked under: the token is of just that.")
    lessons: list[Lesson]
    token: str = Field(description="The same, signed (a JWT, `signoff-lessons+jwt`): verify it.")


class Asked(Wire):
    """A result of work that needed no approval: people are asked whether it is right."""

    action: Annotated[str, Field(description="What was done, as `report.write`.")]
    result: Annotated[Any, Field(description="What came out: any JSON value of at most 2 KB.")]
    title: str = ""
    reason: str = ""
    run: str | None = None
    key: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    expires_in: int | None = None


class Learning:
    """The endpoints."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._approvals = doors.approvals

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(LESSONS, self.look, methods=["GET"]),
            Route(FEEDBACK, self.ask, methods=["POST"]),
        ]

    def look(self, request: Request) -> Response:
        """What this agent can learn: its own lessons, and those that the policy shares with it."""
        agent = caller(request, self._doors, tokens.ASK).agent
        asked = request.query_params
        limit = _number("limit", asked.get("limit"), LIMIT, MOST)
        wanted = build(Wanted, {"action": asked.get("action"), "limit": limit})
        found = self._approvals.lessons.of(agent, wanted.action, wanted.limit)
        match asked.get("format", "json"):
            case "text":
                most = _number("tokens", asked.get("tokens"), TOKENS, MOST_TOKENS)
                return PlainTextResponse(self._approvals.lessons.text(found, most), headers=NOT_KEPT)
            case "json":
                pass
            case _:
                raise Problem(422, "invalid", "format: json or text, please.")
        named_id = asked.get("id", str(uuid.uuid4())).lower()
        if not ID.fullmatch(named_id):
            raise Problem(422, "invalid", "id: a UUID, please.")
        at = moment(self._doors.store.clock())
        token = receipts.sign_lessons(self._doors.signer, self._doors.deployment, agent, named_id, found, at)
        lessons = [Lesson.model_validate(one) for one in fitting(found)]
        text = Told(id=named_id, lessons=lessons, token=token).model_dump_json()
        return Response(text, headers=NOT_KEPT, media_type="application/json")

    def ask(self, request: Request) -> Response:
        """Ask people whether a result is right. The same again, by its key, is answered again."""
        agent = caller(request, self._doors, tokens.ASK).agent
        values, key = json_object(request), read_key(request.headers)
        if key and values.setdefault("key", key) != key:
            raise Problem(422, "invalid", f"{KEY} and key differ: say it once.")
        said = build(Asked, values)
        claims = said.model_dump(exclude={"result"}, exclude_defaults=True)
        asked = named(agent, {**claims, "kind": KIND, "payload": {"result": said.result}})
        approval = self._approvals.submit(agent, asked)
        self._approvals.tell(approval)
        where = {"Location": f"{self._doors.public_url}{REQUESTS}/{approval.request_id}"}
        return answer(state(approval, self._approvals.response(approval)), where)


def routes(doors: Doors) -> list[Route]:
    """Where the endpoints are."""
    return Learning(doors).routes()


def _number(name: str, text: str | None, usual: int, most: int) -> int:
    if text is None:
        return usual
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise Problem(422, "invalid", f"{name}: 1 to {most:,}, please.")
    return int(text)
