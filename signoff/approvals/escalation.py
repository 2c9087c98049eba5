"""More people may decide once something has waited for a while; pure. It never lowers what is needed."""

from __future__ import annotations

from signoff.models.timing import Escalation
from signoff.models.verdict import Verdict
from signoff.policy.policy import Policy


def widened(verdict: Verdict, added: tuple[str, ...], escalated: int, policy: Policy) -> Verdict:
    """The same verdict, with these (as the policy names them) among its people; `escalated` is the step's
    seconds. Those from before stay, also where nobody was named; of several seats they may fill any, and each
    needs as many people as before.
    """
    if not escalated:
        return verdict
    named = tuple(dict.fromkeys((*(verdict.named or policy.approvers), *added)))
    more = policy.resolve(added) if added else ()
    seats = tuple(
        seat.model_copy(
            update={
                "named": tuple(dict.fromkeys((*seat.named, *added))),
                "people": tuple(dict.fromkeys((*seat.people, *more))),
            }
        )
        for seat in verdict.seats
    )
    return verdict.model_copy(
        update={
            "seats": seats,
            "named": named,
            "approvers": policy.resolve(named),
            "added": tuple(dict.fromkeys((*verdict.added, *added))),
            "escalated": escalated,
        }
    )


def steps_due(verdict: Verdict, waited_seconds: float) -> tuple[Escalation, ...]:
    """The steps whose time has come, and that have not been taken."""
    steps = verdict.times.escalate
    return tuple(one for one in steps if verdict.escalated < one.after <= waited_seconds)
