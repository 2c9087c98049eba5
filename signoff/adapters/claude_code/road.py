"""The short road: what the policy decides at once is asked, answered and spent on one connection."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress

from signoff.adapters.claude_code import answer
from signoff.adapters.claude_code.answer import Answer
from signoff.adapters.claude_code.line import Away, Line
from signoff.adapters.claude_code.request import Request
from signoff.client.settings import Settings
from signoff.errors import Unreachable
from signoff.models import identity
from signoff.models.tool_calls import OTHER_INPUT, ToolCall, asks_user
from signoff.payload.canonical import canonical, digest
from signoff.queue import names

AT_ONCE_SECONDS = 3.0
"""How long the policy is given. What takes longer waits for a server, or for a person: the client does."""
SPEND_SECONDS = (3.0, 5.0, 10.0, 10.0)
"""Pauses between asking again who may run a request. After the last one it does not run."""


class Road:
    """To one server, for one agent. A connection that breaks is made anew with the next call."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._agent = settings.agent
        self._line: Line | None = None

    def ask(self, request: Request) -> Answer | None:
        """The verified answer, where there is one at once; None where somebody is waited for.

        Raises Away, or NotVerified.
        """
        agent, until = self._agent, time.monotonic() + AT_ONCE_SECONDS
        key = names.decision(agent, request.id)
        channels = [names.notification(agent, name) for name in (request.id, names.spent(request.id))]
        *_, found = self._connected().call(
            ("SET", names.body(agent, request.id), request.body, "EX", names.BODY_SECONDS),
            _entry(agent, "request", request.id),
            ("GET", key),
            channels=tuple(channels),
        )
        while not isinstance(found, bytes):
            if not self._hear(channels[0], until):
                return None
            (found,) = self._connected().call(("GET", key))
        response = answer.decoded(found)
        return None if response["status"] == "pending" else answer.accept(response, request, self._settings)

    def spend(self, request: Request, approved: Answer) -> None:
        """Have this process be the one that may run what was approved.

        Raises AlreadySpent or NotVerified, and Unreachable where no server says who may.
        """
        by, agent = identity.process_name(), self._agent
        name = names.spent(request.id)
        body = json.dumps({"by": by})
        for pause in SPEND_SECONDS:
            until = time.monotonic() + pause
            try:
                _, found = self._connected(names.notification(agent, name)).call(
                    _entry(agent, "spend", request.id, body), ("GET", names.decision(agent, name))
                )
                while not isinstance(found, bytes) and self._hear(names.notification(agent, name), until):
                    (found,) = self._connected().call(("GET", names.decision(agent, name)))
            except Away:
                self.close()
                time.sleep(min(1.0, max(0.0, until - time.monotonic())))
                continue
            if isinstance(found, bytes):
                return answer.check_spent(answer.decoded(found), approved, by, request, self._settings)
        raise Unreachable("No server says who may run it.")

    def report(self, call: ToolCall, succeeded: bool) -> None:
        """Say what became of a call, where it was asked for: a failure, too, where something else has run."""
        nonce = identity.keyed_nonce(call.key or "", self._settings.secret)
        (found,) = self._connected().call(("GET", names.keyed(self._agent, nonce)))
        if not isinstance(found, bytes):
            return
        request_id = str(uuid.UUID(found.decode()))
        (found,) = self._connected().call(("GET", names.decision(self._agent, request_id)))
        approved = answer.approved_before(found, request_id, self._settings)
        said: dict[str, object] = {"succeeded": succeeded}
        same = approved is None or asks_user(call.action) or approved == digest(canonical(call.payload))
        if not same:
            said = {"succeeded": False, "note": OTHER_INPUT}
        self._connected().call(_entry(self._agent, "outcome", request_id, json.dumps(said)))

    def withdraw(self, request: Request, reason: str, not_run: str) -> None:
        """Nobody waits for it any more, and nobody has run it, if it is approved by now; where that cannot be
        said, its card says so after a while."""
        self.close()
        with suppress(Away):
            outcome = json.dumps({"succeeded": False, "note": not_run})
            self._connected().call(
                _entry(self._agent, "cancel", request.id, json.dumps({"reason": reason})),
                _entry(self._agent, "outcome", request.id, outcome),
            )

    def close(self) -> None:
        """Let the connection go."""
        if self._line is not None:
            self._line.close()
        self._line = None

    def _connected(self, channel: str = "") -> Line:
        if self._line is None:
            self._line = Line(self._settings.redis_url)
            if channel:
                self._line.call(channels=(channel,))
        return self._line

    def _hear(self, channel: str, until: float) -> bool:
        """Whether there is news of this channel before `until`."""
        while (news := self._connected().hear(until)) is not None:
            if news[0] == channel.encode():
                return True
        return False


def _entry(agent: str, kind: str, request_id: str, body: str = "") -> tuple[str, ...]:
    fields = names.entry(kind, request_id, body)
    return ("XADD", names.requests(agent), "*", *(part for pair in fields.items() for part in pair))
