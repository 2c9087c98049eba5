"""The policy that is in force while the attacks run: what is free, what is asked, and who decides."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

TEXT = """\
version: 1
extends: balanced
internal_domains: [example.com]
sensitive_fields: [margin]
rules:
  - {name: in force, match: {action: probe.mine}, verdict: allow}
  - {name: not in force, match: {action: "probe.*"}, verdict: block, reason: Another file holds.}
  - {name: free, match: {action: "free.*"}, verdict: allow}
  - name: small
    match: {action: "small.*"}
    when: payload.amount <= 100
    verdict: allow
    limits: {per_day: {sum: payload.amount, by: payload.currency, most: 400}}
  - {name: named, match: {action: "named.*"}, verdict: ask, approvers: [U0ANA00001]}
  - name: asked
    match: {action: ["asked.*", "refund.*", "draft.*", "good.*", "small.*"]}
    verdict: ask
"""
ANA, BEN = "U0ANA00001", "U0BEN00001"
"""Two of the stand-in's people, who are its approvers."""
HANDED_OVER = TEXT.replace(ANA, BEN).replace("probe.mine", "probe.handed")
"""The same, but what ana alone decided is for ben alone."""
SHUT = TEXT.replace("rules:\n", 'block: ["named.*"]\nrules:\n', 1).replace("probe.mine", "probe.shut")
"""The same, but what ana decided is blocked."""

ROLES_SECONDS = 2.5
"""By how much another role may take a new file up later than the one that answers a probe."""


def write(file: Path, text: str) -> None:
    """As editors do: another file takes its place."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)


def until_in_force(world: Any, text: str) -> None:
    """Return once all of the server goes by this one of the texts above: it looks at its file by itself.

    Raises TimeoutError.
    """
    probe = re.search(r"probe\.\w+", text)
    assert probe
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        ticket = world.agent("rule-bot").request(probe[0], {"n": time.monotonic()}, reversible=True)
        if world.status(ticket) == "approved":
            time.sleep(ROLES_SECONDS)
            return
        time.sleep(0.3)
    raise TimeoutError("the server did not take up the policy file within a minute")
