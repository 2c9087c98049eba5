"""For how long a caller waits for an answer: `Prefer: wait=30` (RFC 7240), or `?wait=30`."""

from __future__ import annotations

import re

from starlette.requests import Request

from signoff.web.problems import Problem
from signoff.web.terms import LONGEST

APPLIED = "Preference-Applied"
_SECONDS = re.compile(r"[0-9]+")
# Quoted strings first: a comma or semicolon in one parts nothing.
_PARTS = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^",])+)')


def seconds_of(request: Request) -> int:
    """How long to wait, 0 to 30 s; more is cut. The query says it before the header does.

    Raises Problem where the query's is no whole number of seconds; such a preference is passed over.
    """
    asked = request.query_params.get("wait")
    if asked is not None:
        if not _SECONDS.fullmatch(asked):
            raise Problem(422, "invalid", "wait: whole seconds, please, 30 at most.")
        return _cut(asked)
    for line in request.headers.getlist("prefer"):
        for part in _PARTS.findall(line):
            name, _, value = part.partition(";")[0].partition("=")
            if name.strip().lower() == "wait":  # the first counts
                value = value.strip().strip('"')
                return _cut(value) if _SECONDS.fullmatch(value) else 0
    return 0


def applied(seconds: int) -> dict[str, str]:
    """The header that says for how long it waited at most."""
    return {APPLIED: f"wait={seconds}"} if seconds else {}


def _cut(digits: str) -> int:
    digits = digits.lstrip("0") or "0"  # of thousands of digits Python makes no number
    return LONGEST if len(digits) > 2 else min(LONGEST, int(digits))
