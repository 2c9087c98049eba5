"""Which tools are gated, and what is said of each."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from signoff.client import mistakes, options
from signoff.client.claims import Claims as Claims
from signoff.errors import Invalid

log = logging.getLogger("signoff")
Tools = (
    Collection[str]
    | Mapping[str, Mapping[str, Any] | bool]
    | Callable[[str], "Mapping[str, Any] | bool | None"]
    | None
)
"""Which tools are gated: all (None), those of these names or patterns (`refund_*`), or a function that says
so of a name (False: it is not gated). A mapping or a function may say of each what is said with its
requests: the claims of `signoff.client.claims.Claims` (reversible, risk, …), and

    action: by default the tool's name
    reason: a text, or a function of the arguments that it names; by default what the model said with the call
    condition: a function of the arguments that it names: where it gives False, the tool runs unasked
"""
OWN = ("action", "reason", "condition")
MAX_REASON = 4000
MOST_KNOWN = 1000
"""Tools whose options are kept: models make names up."""


@dataclass(frozen=True)
class ToolOptions:
    """What is said with the requests of one tool."""

    name: str
    claims: Mapping[str, Any]
    reason: str | Callable[..., Any] | None = None
    condition: Callable[..., Any] | None = None

    def asks(self, payload: Mapping[str, Any], awaited: Callable[[Any], Any]) -> bool:
        """Whether people are asked; `awaited` waits for what a condition that is a coroutine gives."""
        return self.condition is None or options.asks(self.condition, deepcopy(payload), self.name, awaited)

    async def asks_async(self, payload: Mapping[str, Any]) -> bool:
        """`asks`, in the caller's event loop, which a condition may belong to; so no thread is changed."""
        if self.condition is None:
            return True
        return await options.asks_async(self.condition, deepcopy(payload), self.name)

    def said(self, payload: Mapping[str, Any], reason: str) -> dict[str, Any]:
        """What is said beside action and payload; raises whatever a function of the user's does."""
        given = self.reason
        text = str(options.call(given, deepcopy(payload)) if callable(given) else given or reason)
        return {**self.claims, "reason": text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"}


class ToolTable:
    """Reads Tools; raises TypeError for what cannot be meant."""

    def __init__(
        self, tools: Tools, claims: Mapping[str, Any], named: Callable[[str], str] | None = None
    ) -> None:
        if isinstance(tools, str):
            raise TypeError(f"tools is a text: write a list, [{tools!r}].")
        if tools is not None and not callable(tools):
            _check_names(tools)
        self._tools = tools
        self._claims = dict(claims)
        self._named = named or action_of
        self._read: dict[str, ToolOptions | None] = {}
        self._warned: set[str] = set()
        _checked("*", self._claims, ())
        if isinstance(tools, Mapping):
            for name, given in tools.items():
                self._made(name, given)

    def options(self, name: str) -> ToolOptions | None:
        """What is said of a tool; None where it is not gated."""
        if callable(self._tools):
            return self._made(name, self._tools(name))
        if name in self._read:
            return self._read[name]
        made = self._made(name, self._found(name))
        if len(self._read) < MOST_KNOWN:
            self._read[name] = made
        return made

    def known(self, names: Collection[str], complete: bool) -> None:
        """See Calls.known."""
        if self._tools is None or callable(self._tools):
            return
        for given in self._tools:
            if given in self._warned or any(given == name or fnmatchcase(name, given) for name in names):
                continue
            near = get_close_matches(given, names, 1, 0.6)
            meant = f" (did you mean {near[0]}?)" if near else ""
            told = f"tools names {given!r:.80}, and there is no such tool{meant}: so it gates nothing."
            if complete:
                raise TypeError(told)
            self._warned.add(given)
            log.warning("%s", told)

    def _found(self, name: str) -> Mapping[str, Any] | bool:
        """What stands under a tool's own name, else under the first pattern that fits."""
        if self._tools is None:
            return True
        assert not callable(self._tools)
        names = [given for given in self._tools if given == name] or [
            given for given in self._tools if fnmatchcase(name, given)
        ]
        if not names:
            return False
        return self._tools[names[0]] if isinstance(self._tools, Mapping) else True

    def _made(self, name: str, given: Mapping[str, Any] | bool | None) -> ToolOptions | None:
        if given is None or given is False:
            return None
        own = {} if given is True else dict(given)
        _checked(name, own, OWN)
        return ToolOptions(
            own.pop("action", None) or self._named(name),
            {**self._claims, **{key: value for key, value in own.items() if key not in OWN}},
            own.get("reason"),
            own.get("condition"),
        )


def _check_names(tools: Collection[str] | Mapping[str, Mapping[str, Any] | bool]) -> None:
    """Raise TypeError for what would gate nothing without a word."""
    if not tools:
        raise TypeError("tools is empty, and gates nothing: leave it out to gate all, or name some.")
    for name in tools:
        if not isinstance(name, str) or not name:
            raise TypeError(f"tools holds {name!r:.60}: write the names of tools, or patterns of them.")
        if isinstance(tools, Mapping) and not isinstance(tools[name], Mapping | bool):
            raise TypeError(f"{name}: write what is said of it as a dict; {{}} gates it and says no more.")


def action_of(tool: str) -> str:
    """A tool's name as an action's: as it is, where it can be one, else with what tells it from others."""
    if mistakes.ACTION.fullmatch(tool):
        return tool
    mark = hashlib.sha256(tool.encode(errors="surrogatepass")).hexdigest()[:8]
    return (re.sub(r"[^A-Za-z0-9_.:/@-]+", "_", tool)[:80].lstrip(".:/@-") or "tool") + "-" + mark


def _checked(tool: str, given: Mapping[str, Any], more: Collection[str]) -> None:
    if told := mistakes.unknown(given, {*options_names(), *more}, f"{tool}: there is no option"):
        raise TypeError(told)
    options.check_kinds(**{name: given.get(name) for name in ("reason", "condition") if name in given})
    try:
        mistakes.check_claims({name: value for name, value in given.items() if name not in OWN})
        if given.get("action") is not None:
            mistakes.check_action(given["action"])
    except Invalid as error:
        raise TypeError(f"{tool}: {error.detail}") from None


def options_names() -> frozenset[str]:
    """The claims that a tool's options may hold."""
    return frozenset(Claims.__annotations__)
