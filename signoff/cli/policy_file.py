"""A policy's file, as the commands about it read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.policy.loader import Loaded
    from signoff.policy.rules import Rule


def loaded(file: str) -> Loaded:
    """A file, with the default approvers and channel where the settings have them; raises PolicyError."""
    from signoff.policy.loader import load_all
    from signoff.server import settings

    try:
        given = settings.load().policy()
    except ConfigError:  # a policy can be judged where no server is set up
        return load_all(file)
    return load_all(file, approvers=given.approvers, conversation=given.conversation)


def place(rule: Rule) -> str:
    """Where a rule stands: its line, or the preset."""
    return f"{'preset' if rule.source else f'line {rule.line}':>11}"
