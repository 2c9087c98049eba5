"""Waits that differ between processes, from numbers of our own.

What a program draws from `random`, which it may have seeded, stays as it is.
"""

from __future__ import annotations

import os
from random import Random

_RANDOM = Random()  # nosec B311: no secret
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_RANDOM.seed)


def between(least: float, most: float) -> float:
    """A number from `least` to `most`."""
    return _RANDOM.uniform(least, most)  # nosec B311: no secret
