"""What a LangChain tool takes: as people are shown it, and what only the program gives it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic
from langchain_core.tools import BaseTool


@dataclass(frozen=True)
class Shape:
    """`schema` is the JSON Schema of the arguments that a model may write; None where there is none to tell.
    `injected` are the names that only the program gives (`InjectedState`, …). A `closed` tool drops whatever
    its schema does not name, so nobody is to be shown that. `renamed` are fields that go by an alias, too.
    """

    schema: Mapping[str, Any] | None
    injected: frozenset[str] = frozenset()
    closed: bool = False
    renamed: Mapping[str, str] | None = None

    def written(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """A call's arguments that the tool will take from a model, by the names of its schema."""
        renamed = self.renamed or {}
        return {
            renamed.get(name, name): value
            for name, value in args.items()
            if name not in self.injected and renamed.get(name) not in args
        }


def shape(tool: BaseTool) -> Shape:
    """Read a tool's schema; raises whatever a schema that cannot be had does."""
    shown = tool.tool_call_schema
    # What its function asks for, and its schema may know nothing of. Where LangChain calls that otherwise
    # one day, calls of such a tool are refused.
    own: frozenset[str] = getattr(tool, "_injected_args_keys", frozenset())
    if isinstance(shown, dict):  # of an MCP server, say, which is given every argument
        return Shape(shown, own)
    every: Any = tool.get_input_schema()
    if not issubclass(shown, pydantic.BaseModel):  # pydantic's v1
        return Shape(shown.schema(), own | (every.__fields__.keys() - shown.__fields__.keys()))
    fields: Mapping[str, Any] = every.model_fields
    hidden = fields.keys() - shown.model_fields.keys()
    injected = own | frozenset(hidden | {alias for name in hidden for alias in _aliases(fields[name])})
    # Without a schema of its own, a tool is called with whatever there is.
    closed = tool.args_schema is not None and every.model_config.get("extra") in (None, "ignore")
    aliases = {name: list(_aliases(fields[name])) for name in shown.model_fields}
    if not any(aliases.values()):
        return Shape(shown.model_json_schema(), injected, closed)
    if any(not isinstance(fields[name].validation_alias, str) for name, found in aliases.items() if found):
        return Shape(None, injected)  # one of several names: no schema says so
    # LangChain's own schema has forgotten the aliases, by which alone the tool takes these.
    config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    kept: dict[str, Any] = {name: (fields[name].annotation, fields[name]) for name in shown.model_fields}
    whole = pydantic.create_model(every.__name__, __config__=config, **kept)
    by_name = every.model_config.get("populate_by_name") or every.model_config.get("validate_by_name")
    renamed = {name: found[0] for name, found in aliases.items() if found} if by_name else {}
    return Shape(whole.model_json_schema(), injected, closed, renamed)


def _aliases(field: Any) -> Iterator[str]:
    """The names besides its own under which a field may be given."""
    alias = field.validation_alias
    for choice in getattr(alias, "choices", [alias]):
        first = choice.path[0] if isinstance(choice, pydantic.AliasPath) else choice
        if isinstance(first, str):
            yield first
