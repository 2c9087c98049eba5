"""The policy: which actions run, which ask whom, which never run; pure.

A request and a policy give a Verdict (`evaluate`); a file gives a policy (`load`). docs/policy.md says what a
file may say, and what wins over what.
"""

from __future__ import annotations

from signoff.policy.evaluate import Explanation, evaluate, explain, judge_edit, missing
from signoff.policy.loading import load
from signoff.policy.policy import Policy
from signoff.policy.rules import Limits
from signoff.policy.verdict import RISKS, UNMAPPED_RISK, Verdict

__all__ = [
    "RISKS",
    "UNMAPPED_RISK",
    "Explanation",
    "Limits",
    "Policy",
    "Verdict",
    "evaluate",
    "explain",
    "judge_edit",
    "load",
    "missing",
]
