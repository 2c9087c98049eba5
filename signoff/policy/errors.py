"""What is wrong with a policy, as whoever loads it is told."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.errors import ConfigError


class PolicyError(ConfigError):
    """The policy's file is wrong.

    `faults` are sentences, each with file and line and what to do.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
