"""`stop` and `breaker` of a policy's file → what they say, and what of that does not hold; pure."""

from __future__ import annotations

from typing import Any

from signoff.policy.durations import seconds
from signoff.policy.faults import Faults
from signoff.policy.stopping import WITHIN, Breaker, StopRules

LONGEST = 86_400
"""Seconds in which a breaker may count."""


def stop_rules(values: dict[str, Any]) -> StopRules:
    """What stands under `stop`."""
    said = values.get("stop", {})
    who = said.get("who", ())
    return StopRules((who,) if isinstance(who, str) else tuple(who), said.get("resume", "second"))


def breaker(values: dict[str, Any], faults: Faults) -> Breaker:
    """What stands under `breaker`; what is wrong goes to `faults`."""
    said: dict[str, Any] = values.get("breaker", {})
    if "breaker" in values and not {"denied", "failed"} & said.keys():
        faults.add(("breaker",), "breaker: it counts nothing: add denied: 3, or failed: 3")
    within = WITHIN
    try:
        within = seconds(said.get("within", WITHIN))
        if within > LONGEST:
            raise ValueError("write a time from 1s to 1d")
    except ValueError as error:
        faults.add(("breaker", "within"), f"within: {error}")
    counted = {name: int(said[name]) for name in ("denied", "failed") if name in said}
    return Breaker(**counted, within=within)
