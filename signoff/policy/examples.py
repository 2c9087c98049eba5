"""Examples beside a policy's rules: a request, and the verdict wanted."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.errors import Invalid
from signoff.models.identity import new_id
from signoff.models.messages import AGENT, ApprovalRequest, build
from signoff.models.questions import ACTION, QUESTION, Question
from signoff.models.verdict import Effect
from signoff.policy import times
from signoff.policy.builder import more_time, seats_of
from signoff.policy.document import Document
from signoff.policy.durations import seconds
from signoff.policy.faults import Faults

REVERSIBLE, SHORTHAND = "reversible", {True: "reversible", False: "irreversible"}
_FIELDS = [field.alias or name for name, field in ApprovalRequest.model_fields.items()]
_NAMED = ("rule", "approvers", "reject", "exclude", "channel", "undo", "feedback", "batch")
_TIMES: dict[str, Callable[[Any], int]] = {"after": seconds, "undo_for": seconds, "talk": more_time}
ANYONE = "agent"
"""Who asks where an example does not say."""
ANY_QUESTION = {"question": "Which one?", "free_text": True}
"""What is asked where an example does not say."""


@dataclass(frozen=True)
class Example:
    """One example; `wanted` is what the verdict has to be, of rule, approvers, channel, feedback, talk, after
    and undo_for (seconds), undo (an action), batch (whether it may share a card), remind, escalate, valid and
    clock what was named.
    """

    name: str
    agent: str
    request: ApprovalRequest
    verdict: Effect
    wanted: Mapping[str, Any]
    line: int


def examples(found: Document, faults: Faults) -> tuple[Example, ...]:
    """All examples of a file; what is wrong with one goes to `faults`."""
    shown = []
    for index, values in enumerate(found.values.get("examples", ())):
        try:
            agent, request = a_request(values["request"])
        except Invalid as error:
            faults.add(
                ("examples", index, "request"), f"this request could not be sent: {error.detail.rstrip('.')}"
            )
            continue
        name = values.get("name", f"{agent} asks for {request.action}")
        wanted = {key: values[key] for key in _NAMED if key in values}
        if "seats" in values:
            wanted["seats"] = [seat.said() for seat in seats_of(values["seats"])]
        for key, read in _TIMES.items():
            try:
                wanted |= {key: read(values[key])} if key in values else {}
            except ValueError as error:
                faults.add(("examples", index, key), f"{key}: {error}")
        wanted |= times.wanted(values, ("examples", index), faults)
        shown.append(
            Example(name, agent, request, values["verdict"], wanted, found.place(("examples", index))[0])
        )
    return tuple(shown)


def a_request(values: Any) -> tuple[str, ApprovalRequest]:
    """A JSON object with agent, action, payload and whatever a request may say → (agent, request).

    Raises Invalid. `id` may be missing, and so may `payload` and `agent`; of a question all but `kind`.
    """
    if not isinstance(values, dict):
        raise Invalid("It has to be an object with agent, action and payload.")
    is_question = values.get("kind") == QUESTION
    least = {"action": ACTION, "payload": ANY_QUESTION} if is_question else {"payload": {}}
    said = {"id": new_id(), **least, **values}
    agent = said.pop("agent", ANYONE)
    if REVERSIBLE in said:  # as an agent's code says it
        if "reversibility" in said:
            raise Invalid("Say reversible or reversibility, and not both.")
        can = said.pop(REVERSIBLE)
        said["reversibility"] = SHORTHAND[can] if isinstance(can, bool) else can
    for name in said:
        if name not in _FIELDS:
            close = difflib.get_close_matches(name, _FIELDS, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are agent, {', '.join(_FIELDS)}."
            shown = name[:80].encode("unicode_escape").decode()
            raise Invalid(f"{shown} is no field of a request: {hint}")
    if not isinstance(agent, str) or not AGENT.fullmatch(agent):
        raise Invalid("agent: a-z, 0-9 and -, at most 40.")
    request = build(ApprovalRequest, said)
    request.encode()
    if is_question:
        Question.of(request.payload)
    return agent, request
