"""What a LangChain tool takes: as people are shown it, and what only the program gives it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic
from langchain_core.tools import BaseTool

from signoff.adapters.arguments import DEPTH, resolved


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
        """What people are shown of a call's arguments: those that the tool will take from a model."""
        renamed = self.renamed or {}
        own = {
            renamed.get(name, name): value
            for name, value in args.items()
            if name not in self.injected and renamed.get(name) not in args
        }
        if not self.closed or self.schema is None:
            return own
        taken = _taken(own, self.schema, self.schema, DEPTH)
        return taken if isinstance(taken, dict) else own


def shape(tool: BaseTool) -> Shape:
    """Read a tool's schema; raises whatever a schema that cannot be had does."""
    shown = tool.tool_call_schema
    if isinstance(shown, dict):  # of an MCP server, say, which is given every argument
        return Shape(shown)
    every: Any = tool.get_input_schema()
    if not issubclass(shown, pydantic.BaseModel):  # pydantic's v1
        return Shape(shown.schema(), frozenset(every.__fields__.keys() - shown.__fields__.keys()))
    fields: Mapping[str, Any] = every.model_fields
    hidden = fields.keys() - shown.model_fields.keys()
    injected = frozenset(hidden | {alias for name in hidden for alias in _aliases(fields[name])})
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


def _taken(value: Any, schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    """A value without what a model class drops of it: what it does not name, at any depth."""
    schema = _of_object(resolved(schema, root), root)
    if not isinstance(schema, Mapping) or not depth:
        return value
    if isinstance(value, list):
        return [_taken(each, schema.get("items"), root, depth - 1) for each in value]
    properties = schema.get("properties")
    if not isinstance(value, Mapping) or not isinstance(properties, Mapping):
        return value
    drops = "additionalProperties" not in schema
    return {
        name: _taken(each, properties.get(name), root, depth - 1)
        for name, each in value.items()
        if name in properties or not drops
    }


def _of_object(schema: Any, root: Mapping[str, Any]) -> Any:
    """Of `Line | None` the one that is not None; of more there is no telling."""
    found = schema.get("anyOf") if isinstance(schema, Mapping) else None
    kinds = [kind for each in found or () if (kind := resolved(each, root)) and kind.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else schema
