"""The last door before a tool: lets through what was approved, and just that, once."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool

from signoff.adapters.langchain.results import refusal

AGAIN = (
    "was not run again: an approval is for one run, and it has had that. What came of that run is not known "
    "here. Do not repeat it by yourself: if it is still needed, you may ask again."
)
CHANGED = (
    "was not run: its arguments were changed on the way from the approval to the tool. Do not try another "
    "way: tell whoever you work for."
)


class Door:
    """One call of one tool, that other middleware may still carry about, change, or repeat."""

    def __init__(self, tool: BaseTool, injected: frozenset[str], args: Mapping[str, Any], once: bool) -> None:
        self._tool = tool
        self._injected = injected
        self._approved = self._text(args)
        self._once = once
        self._opened = False
        self._lock = threading.Lock()

    def tool(self) -> BaseTool:
        """The same tool as it looks, whose `invoke` and `ainvoke` lead through here."""
        made = copy.copy(self._tool)
        object.__setattr__(made, "invoke", self._invoke)
        object.__setattr__(made, "ainvoke", self._ainvoke)
        return made

    def _invoke(self, call: Any, *args: Any, **more: Any) -> Any:
        return self._refused(call) or self._tool.invoke(call, *args, **more)

    async def _ainvoke(self, call: Any, *args: Any, **more: Any) -> Any:
        return self._refused(call) or await self._tool.ainvoke(call, *args, **more)

    def _refused(self, call: ToolCall) -> ToolMessage | None:
        """An error of the tool for what was not approved; else this was its run."""
        if self._text(call["args"]) != self._approved:
            return refusal(call, f"{call['name']} {CHANGED}")
        with self._lock:
            if self._opened and self._once:
                return refusal(call, f"{call['name']} {AGAIN}")
            self._opened = True
        return None

    def _text(self, args: Mapping[str, Any]) -> str:
        """Arguments, to compare: a copy, as whoever holds them may change them in place."""
        shown = {name: value for name, value in args.items() if name not in self._injected}
        return json.dumps(shown, sort_keys=True, default=repr)
