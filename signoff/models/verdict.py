"""The policy's verdict on a request, and how strict verdicts are; pure."""

from __future__ import annotations

from typing import Literal

from signoff.models.amounts import Sum
from signoff.models.messages import Reversibility, Risk
from signoff.models.receipt import Wire
from signoff.models.seating import Excluded, Seat
from signoff.models.timing import NOTHING, Timing
from signoff.models.undo_plan import UndoPlan

SecondFactor = Literal["totp"]
"""What may be asked for beside a Slack account: a code that an authenticator app shows."""
Effect = Literal["allow", "notify", "ask", "block"]
EFFECTS: tuple[Effect, ...] = ("allow", "notify", "ask", "block")
"""From the loosest to the strictest."""
RISKS: tuple[Risk, ...] = ("low", "medium", "high", "critical")
REVERSIBILITIES: tuple[Reversibility, ...] = ("reversible", "costly", "irreversible")
"""From what is easiest to undo to what cannot be undone."""
UNMAPPED_RISK: Risk = "high"
UNMAPPED_REVERSIBILITY: Reversibility = "irreversible"
"""What an action counts as that no policy has mapped (design: Trust)."""


AFTER = "allow after"
"""What is told of a verdict that allows something after a while: it is another answer than `allow`."""


def answer(effect: str, after: int | None, held_by: str = "") -> str:
    """What a policy said, in one word or two; `held_by` is set where a person had it asked about."""
    return AFTER if held_by or (effect == "allow" and after is not None) else effect


class Verdict(Wire):
    """Whether a request runs, is asked about or blocked; by whom, where, and for how long.

    `approvers` holds user ids, user-group ids, or `members`, as they were when it was judged; `named` is what
    the rule calls them (groups of the policy, ids), empty for the default approvers: see
    `Policy.approvers_of`. `expires_in` is in seconds. `…_from` says whose word a value is: the policy's, the
    agent's claim, or nobody's. `thread` is a thread of `conversation` that the card appears in, where the
    agent wished for one and it was granted. `headline` is the rule's sentence, filled from the payload.

    `rule` is the name of the rule that decided, empty where none did; `why` says in one sentence what did,
    without a word of the payload; `reason` is told to the agent. `editable` names the fields that a person
    may change, beyond what the agent says of it; None leaves it to the agent. `require` is what the request
    has to say. `policy` is the policy's digest. `sums` are those of the policy that it counts for, and `over`
    says, with values of the payload, which of them had a person asked. `talk` is how many seconds more a
    request has once somebody has asked its agent about it.

    `after` is for how many seconds what is allowed waits, shown, so that somebody can hold it; None runs at
    once. `held_by` is the user id of who did. `undo` is what undoes it, where the policy names that.
    `feedback` is of how many of 10,000 outcomes people are asked whether it was right.

    `timing` is what the policy says of time, None where that is nothing: see `times`. `added` are those who
    may decide since it was escalated, by the policy's names, and stand in `named` and `approvers`, too;
    `escalated` is the step's seconds, 0 where it never was.
    `seats` are the places that people fill, each with one vote; none is one place of the `approvers`, who are
    otherwise all those of the seats. So many people have to `reject` it. Who is in `exclude` may not approve;
    `exclude_by_default` says that no rule wrote that: then it does not hold where nobody else could.
    `second_factor` is what whoever approves has to prove with, beside their Slack account; None asks for
    nothing. For `session` seconds one code counts for several, 0 for this one alone: see `in_session`.
    `confirm` names fields of the payload (`payload.customer`) whose values they type.
    """

    effect: Effect
    approvers: tuple[str, ...]
    conversation: str
    expires_in: int
    reversibility: Reversibility
    reversibility_from: Literal["policy", "agent", "nobody"]
    risk: Risk
    risk_from: Literal["policy", "agent", "nobody"]
    thread: str | None = None
    headline: str | None = None
    reason: str = ""
    policy: str = ""
    rule: str = ""
    why: str = ""
    named: tuple[str, ...] = ()
    editable: tuple[str, ...] | None = None
    require: tuple[str, ...] = ()
    sums: tuple[Sum, ...] = ()
    over: str = ""
    feedback: int = 0
    talk: int = 0
    after: int | None = None
    second_factor: SecondFactor | None = None
    session: int = 0
    confirm: tuple[str, ...] = ()
    held_by: str = ""
    undo: UndoPlan | None = None
    timing: Timing | None = None
    added: tuple[str, ...] = ()
    escalated: int = 0

    @property
    def times(self) -> Timing:
        """What the policy says of time."""
        return self.timing or NOTHING

    seats: tuple[Seat, ...] = ()
    reject: int = 1
    exclude: tuple[Excluded, ...] = ()
    exclude_by_default: bool = False

    @property
    def places(self) -> int:
        """How many people have to approve it."""
        return sum(seat.need for seat in self.seats) or 1

    @property
    def in_session(self) -> int:
        """For how many seconds a code given before still counts: 0 for what is critical or irreversible."""
        final = self.risk == "critical" or self.reversibility == "irreversible"
        return 0 if final or self.second_factor is None else self.session

    @property
    def asks_proof(self) -> bool:
        """Whether who approves has to show more than their Slack account."""
        return self.second_factor is not None or bool(self.confirm)

    @property
    def in_grace(self) -> bool:
        """Whether it lets run what nobody holds for a while."""
        return self.effect == "allow" and self.after is not None


def stricter_risk(one: Risk, other: Risk) -> Risk:
    """The higher of two risks."""
    return max(one, other, key=RISKS.index)


def stricter_reversibility(one: Reversibility, other: Reversibility) -> Reversibility:
    """Of two, what is harder to undo."""
    return max(one, other, key=REVERSIBILITIES.index)
