"""A line of the log as it is read, and what a column has to fit by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.approvals.audit.fits import Fits


@dataclass(frozen=True)
class Said:
    """One line, read."""

    seq: int
    kind: str
    at: int
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What a row's column has to fit, and the line that says so."""

    fit: Fits
    seq: int


Row = dict[str, Told]


class Contradiction(Exception):
    """The lines do not make a life of a request: what is wrong, and in which."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(what)
        self.seq, self.what = seq, what
