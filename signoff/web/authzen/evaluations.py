"""Evaluations: may this subject do this with that? The policy in force says; nothing is counted, or made.

allow and notify are a yes, block is a no, ask a no that may be asked about. What a policy counts in a sum is
asked about, too, even where it would be allowed: only a request that is submitted is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff.errors import Invalid
from signoff.models import tokens
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical
from signoff.web.authzen import tuples
from signoff.web.authzen.denials import Denials, new_evaluation_id, rfc3339
from signoff.web.authzen.grants import Grants, until
from signoff.web.authzen.problems import answer, endpoint
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
MOST = 100
"""Evaluations of one call."""
A_CALL = 10
"""So many more of them count as one more call of their agent's."""
DEFAULTS = ("subject", "action", "resource", "context")
SEMANTICS: dict[Any, bool | None] = {
    "execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True,
}  # fmt: skip
"""Each with the decision that it ends on."""
RETRY_SECONDS = 5
"""When a person's decision is asked for again."""


class Judged(NamedTuple):
    """What was asked, and what the policy says of it."""

    asked: tuples.Tuple
    context: Mapping[str, Any]
    verdict: Verdict


class Evaluations:
    """The endpoints."""

    def __init__(self, doors: Doors, denials: Denials, grants: Grants) -> None:
        self._doors = doors
        self._judge = doors.approvals.judge
        self._denials = denials
        self._grants = grants

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(EVALUATION, self.one, methods=["POST"]),
            Route(EVALUATIONS, self.many, methods=["POST"]),
        ]

    @endpoint
    def one(self, request: Request) -> Response:
        """One evaluation."""
        agent = caller(request, self._doors, tokens.ASK).agent
        return answer(self._decide(agent, self._judged(agent, json_object(request))))

    @endpoint
    def many(self, request: Request) -> Response:
        """Several; one where there is no list of them. A fault of one of them is a no in its place."""
        agent = caller(request, self._doors, tokens.ASK).agent
        values = json_object(request)
        listed = values.get("evaluations", [])
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise Invalid("evaluations has to be a list of objects.")
        ends_on = _semantic(values.get("options", {}))
        if not listed:
            return answer(self._decide(agent, self._judged(agent, values)))
        defaults = {name: values[name] for name in DEFAULTS if name in values}
        if len(listed) > MOST:
            raise Invalid(f"Send at most {MOST} evaluations at once.")
        tuples.check_shared(defaults, listed)
        self._doors.rates.count(agent, len(listed) // A_CALL)
        decisions = []
        judged: dict[str, Judged] = {}
        for one in listed:
            decisions.append(self._decided(agent, {**defaults, **one}, judged, canonical(one, "evaluation")))
            if decisions[-1]["decision"] is ends_on:
                break
        return answer({"evaluations": decisions})

    def _decided(
        self, agent: str, values: Mapping[str, Any], judged: dict[str, Judged], own: str
    ) -> dict[str, Any]:
        """The decision on one of several. What was asked in the same words, its `own`, is judged once."""
        try:
            if own not in judged:
                judged[own] = self._judged(agent, values)
            return self._decide(agent, judged[own])
        except Invalid as error:
            return {"decision": False, "context": {"error": {"status": 400, "message": error.detail}}}

    def _judged(self, agent: str, values: Mapping[str, Any]) -> Judged:
        """What the policy says of it; raises Invalid."""
        asked, context = tuples.read(values)
        request = tuples.request_of(agent, asked, context)
        verdict = self._judge.evaluate(agent, request)
        return Judged(asked, context, self._doors.approvals.stopping.judged(agent, request, verdict))

    def _decide(self, agent: str, judged: Judged) -> dict[str, Any]:
        """The decision; raises Invalid."""
        asked, context, verdict = judged
        now = self._doors.store.clock()
        said: dict[str, Any] = {"evaluation_id": new_evaluation_id(), "evaluated_at": rfc3339(now)}
        if is_free(verdict):
            return {"decision": True, "context": said}
        if "approval" not in context:
            if verdict.effect == "block":
                return _no(said, reason="blocked", reason_user={"403": verdict.reason})
            said["access_request"] = self._denials.give(agent, asked, said["evaluation_id"], now)
            return _no(said, reason="approval_required")
        return self._again(agent, asked, context["approval"], verdict, said, now)

    def _again(
        self, agent: str, asked: tuples.Tuple, brought: Any, verdict: Verdict, said: dict[str, Any], now: int
    ) -> dict[str, Any]:
        """The decision on what comes with an approval: what the policy blocks today stays blocked."""
        worth, approval = self._grants.look(agent, asked, brought, now)
        if worth == "approval_unverifiable":
            return _no(said, reason=worth, next_action="none")
        if verdict.effect == "block":
            return _no(said, reason="policy_denied", next_action="none", reason_user={"403": verdict.reason})
        if worth == "grant_pending":
            return _no(said, reason=worth, next_action="retry", retry_after=RETRY_SECONDS)
        if worth:
            said["access_request"] = self._denials.give(agent, asked, said["evaluation_id"], now)
            return _no(said, reason=worth, next_action="request")
        assert approval is not None
        said["approval"] = {"id": approval.request_id, "approved_until": rfc3339(until(approval))}
        return {"decision": True, "context": said}


def is_free(verdict: Verdict) -> bool:
    """Whether it may run without being submitted: what counts in a sum would not be counted then."""
    return verdict.effect in ("allow", "notify") and not verdict.sums


def _no(said: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"decision": False, "context": said | more}


def _semantic(options: Any) -> bool | None:
    """The decision that a call ends on, None for none; raises Invalid."""
    if not isinstance(options, dict):
        raise Invalid("options has to be an object.")
    named = options.get("evaluations_semantic", "execute_all")
    if not isinstance(named, str) or named not in SEMANTICS:
        raise Invalid(f"options.evaluations_semantic is one of {', '.join(SEMANTICS)}.")
    return SEMANTICS[named]
