"""Requests for access, `/access/v1/requests`: each becomes one or several of ours; a task tells of them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff.errors import Duplicate, Invalid
from signoff.models import flood, tokens
from signoff.models.approval import Approval
from signoff.models.messages import Cancel, build
from signoff.policy import evaluate as policy
from signoff.web.authzen import endpoints, tuples
from signoff.web.authzen.evaluations import RETRY_SECONDS
from signoff.web.authzen.grants import wish
from signoff.web.authzen.problems import AccessProblem, answer, endpoint
from signoff.web.authzen.submissions import Asked, Submissions, keys_differ, too_late
from signoff.web.authzen.tasks import REQUESTS, Tasks, request_ids
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors
from signoff.web.repeats import by_key, is_same
from signoff.web.terms import read_key

WAIT = {"Retry-After": str(RETRY_SECONDS)}


class Requests:
    """The endpoints."""

    def __init__(self, doors: Doors, submissions: Submissions, tasks: Tasks) -> None:
        self._doors = doors
        self._approvals = doors.approvals
        self._submissions = submissions
        self._tasks = tasks

    def routes(self) -> list[Route]:
        """Where they are."""
        one = REQUESTS + "/{task}"
        return [
            Route(REQUESTS, self.submit, methods=["POST"]),
            Route(one, self.look, methods=["GET"]),
            Route(one + "/cancel", self.cancel, methods=["POST", "DELETE"]),
        ]

    @endpoint
    def submit(self, request: Request) -> Response:
        """Ask a person. The same submission again is answered with the same task, also when it is late."""
        agent = caller(request, self._doors, tokens.ASK).agent
        asked, said = self._submissions.read(agent, json_object(request), read_key(request.headers))
        if said.callback and not endpoints.is_registered(self._doors.store, agent, said.callback.endpoint):
            raise Invalid("callback.endpoint is not one that an operator has registered for this agent.")
        known = [self._known(agent, one) for one in asked]
        for one, before in zip(asked, known, strict=True):
            if before is None:
                self._check(agent, one)
        found = [before or self._taken(agent, one) for one, before in zip(asked, known, strict=True)]
        for approval in found:
            self._approvals.tell(approval)
        several = said.items is not None
        if not several and found[0].status == "blocked":
            raise AccessProblem("not_requestable", found[0].reason or "The policy blocks this.")
        return self._told(found, several, created=True)

    @endpoint
    def look(self, request: Request) -> Response:
        """How a task stands."""
        return self._told(*self._own(request))

    @endpoint
    def cancel(self, request: Request) -> Response:
        """Withdraw what waits of a task; what had been decided before stands."""
        found, several = self._own(request)
        values = json_object(request, empty=True)
        said = [values[name] for name in ("reason", "comment") if name in values]
        if not all(isinstance(one, str) for one in said):
            raise Invalid("reason and comment are texts.")
        if not any(one.pending for one in found):
            raise _over()
        reason = build(Cancel, {"reason": ": ".join(said)}).reason
        ended = [self._approvals.cancel(one.agent, one.request_id, reason) or one for one in found]
        for approval in ended:
            self._approvals.tell(approval)
        if not any(one.status == "cancelled" for one in ended):
            raise _over()  # somebody was faster
        return self._told(ended, several)

    def _known(self, agent: str, asked: Asked) -> Approval | None:
        """What has become of the same submission before; raises AccessProblem where it was another."""
        sent = asked.request
        keyed = by_key(self._doors, agent, sent.key) if sent.key else None
        found = keyed or self._approvals.find(agent, str(sent.id))
        if found is None or is_same(found.request, sent):
            return found
        if sent.key and (keyed or not keys_differ(found.request, sent)):
            raise AccessProblem("duplicate_request", "Its Idempotency-Key was used for another request.")
        raise AccessProblem(
            "invalid_denial_binding", "The denial was used for another request: evaluate again."
        )

    def _check(self, agent: str, asked: Asked) -> None:
        """Raise where it comes too late, or would be refused: before any of several has been submitted."""
        now = self._doors.store.clock()
        if late := too_late(asked, now):
            raise late
        access = asked.request.context.get("requested_access", {})
        if "requested_until" in access and (wish(access) or 0) <= now:
            raise Invalid("requested_access.requested_until has to be a time to come, as RFC 3339 writes it.")
        verdict = self._approvals.judge.evaluate(agent, asked.request)
        if verdict.effect == "ask" and (lacking := policy.missing(verdict, asked.request)):
            raise Invalid(f"The policy wants to be told more with it: {', '.join(lacking)}.")

    def _taken(self, agent: str, asked: Asked) -> Approval:
        """Submitted; where the same waits already, that."""
        sent = asked.request
        try:
            return self._approvals.submit(agent, sent)
        except (Duplicate, Invalid):
            if before := self._known(agent, asked):  # somebody was faster with the same key
                return before
            with self._doors.store.reading() as connection:
                first = flood.same(connection, agent, sent)
            found = self._approvals.find(agent, first[0].request_id) if first else None
            if found is None:
                raise
            return found

    def _own(self, request: Request) -> tuple[Sequence[Approval], bool]:
        """The caller's requests of a task; raises AccessProblem, the same for what is another's."""
        agent = caller(request, self._doors, tokens.ASK).agent
        named, several = request_ids(request.path_params["task"])
        known = (self._approvals.find(agent, name) for name in named)
        found = [one for one in known if one is not None and tuples.is_ours(one)]
        if not named or len(found) < len(named):
            raise AccessProblem("unknown_task", f"{agent} has no such task.")
        return found, several

    def _told(self, found: Sequence[Approval], several: bool, created: bool = False) -> Response:
        said = self._tasks.told(found, several)
        waits = said["task"]["status"] == "pending"
        headers = dict(WAIT) if waits else {}
        if not created:
            return answer(said, 200, headers)
        return answer(said, 202 if waits else 201, headers | {"Location": said["task"]["status_endpoint"]})


def _over() -> AccessProblem:
    return AccessProblem("invalid_task_state", "Nothing of the task waits any more.")
