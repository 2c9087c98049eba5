"""A function's arguments as a payload, and back: what `require_approval` stands on.

What was approved is run: so all arguments are rebuilt from the receipt's payload by their annotations, and
what would not come back as it went is refused before anybody is asked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from signoff.client import hints
from signoff.client.carrier import JSON, Carrier, Encode, schemas
from signoff.errors import Invalid
from signoff.payload import whole
from signoff.payload.schema import check

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Bound:
    """One call. `values` are the payload's arguments by name as Python values, defaults applied.

    `aside` are those that do not travel (`self`, a framework's context, what is in `ignore`).
    """

    values: dict[str, Any]
    aside: dict[str, Any]


class Arguments:
    """How one function's arguments travel. `schema` is the JSON Schema of its payload."""

    def __init__(self, signature: inspect.Signature, carriers: dict[str, Carrier], name: str) -> None:
        self._signature = signature
        self._carriers = carriers
        self._name = name
        kinds = {parameter.kind: parameter.name for parameter in signature.parameters.values()}
        self._args = kinds.get(inspect.Parameter.VAR_POSITIONAL)
        self._kwargs = kinds.get(inspect.Parameter.VAR_KEYWORD)
        self.schema: dict[str, Any] = {}
        self._wide: dict[str, Any] | None = None

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        encode: Mapping[str, Encode] | None = None,
        ignore: Collection[str] = (),
    ) -> Arguments:
        """Read a function's signature, annotations and docstring.

        `encode` names parameters that no annotation describes: parameter → (to_json, from_json), two
        functions, the first from the argument to a JSON value and the second back. `ignore` names
        parameters that are no part of what is approved. Both leave `self`, `cls` and the context
        parameters of agent frameworks (RunContext, ToolRuntime, …) out, and pass them on unchanged.

        Raises TypeError, naming the parameter, where an annotation cannot travel as JSON.
        """
        signature = _with_real_defaults(inspect.signature(function))
        encode = dict(encode or {})
        unknown = (encode.keys() | set(ignore)) - signature.parameters.keys()
        if unknown:
            raise TypeError(f"{_name(function)}() has no parameter {', '.join(sorted(unknown))}.")
        carriers = {}
        for name, parameter in signature.parameters.items():
            if name in ignore:
                continue
            annotation = JSON if name in encode else hints.resolve(function, parameter)
            if not hints.is_context(function, parameter, annotation):
                carriers[name] = Carrier.of(name, _widened(parameter, annotation), encode.get(name))
        arguments = cls(signature, carriers, _name(function))
        arguments.schema = whole.described(arguments._describe(hints.descriptions(function)))
        return arguments

    @property
    def names(self) -> tuple[set[str], bool]:
        """The arguments that travel, and whether a call may bring others, of any name."""
        return self._carriers.keys() - {self._kwargs}, self._kwargs in self._carriers

    @property
    def aside(self) -> set[str]:
        """The parameters that do not travel: `self`, a framework's context, those in `ignore`."""
        return self._signature.parameters.keys() - self._carriers.keys()

    def payload(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], Bound]:
        """A call's arguments → its payload (JSON values) and the call bound to names: `bind` and `pack`."""
        bound = self.bind(args, kwargs)
        return self.pack(bound), bound

    def pack(self, bound: Bound) -> dict[str, Any]:
        """A bound call → its payload: JSON values, read back from their canonical text.

        Nothing in it is the caller's any more: what is judged, asked about and run is made from it. Raises
        Invalid, naming the argument, where a value does not fit its annotation or would not come back from
        JSON as it went in.
        """
        return {name: self._carrier(name).carry(value) for name, value in bound.values.items()}

    def schema_of(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON Schema of one payload: it takes a whole number as text too, where one of 2^53 and more
        stands in this payload.
        """
        if not whole.holds_text(dict(payload)) or not check(self.schema, dict(payload)):
            return self.schema
        if self._wide is None:
            self._wide = whole.widened(self.schema)
        return self._wide

    def values(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A payload → its arguments by name, as Python values made anew; raises Invalid."""
        return {name: self._carrier(name).unpack(value) for name, value in payload.items()}

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Bound:
        """Name a call's arguments and apply the defaults; raises TypeError where the function would."""
        call = self._signature.bind(*args, **kwargs)
        call.apply_defaults()
        values: dict[str, Any] = {}
        aside: dict[str, Any] = {}
        for name, value in call.arguments.items():
            if name not in self._carriers:
                aside[name] = value
            elif name != self._kwargs:
                values[name] = value
        for name, value in call.arguments.get(self._kwargs or "", {}).items():
            if self._kwargs not in self._carriers:
                break
            if name in self._signature.parameters:
                raise Invalid(f"{self._name}() takes {name!r} twice: call it with other names.")
            values[name] = value
        return Bound(values, aside)

    def rebuild(self, payload: Mapping[str, Any], bound: Bound) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A receipt's payload → the arguments to call the function with.

        Every argument comes from `payload`; only what does not travel comes from `bound`. Raises Invalid,
        naming the argument, where the payload does not fit the function.
        """
        named = self._carriers.keys() - {self._kwargs}
        lacking = [name for name in self._carriers if name in named and name not in payload]
        extra = [name for name in payload if name not in named]
        if lacking or (extra and self._kwargs not in self._carriers):
            raise Invalid(
                f"{self._name}() does not fit what was approved: {', '.join(lacking or extra)[:200]}."
            )
        values = self.values(payload)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, parameter in self._signature.parameters.items():
            source = values if name in self._carriers else bound.aside
            if name == self._args:
                args += source.get(name, ())
            elif name == self._kwargs:
                kwargs |= {extra_name: values[extra_name] for extra_name in extra}
                kwargs |= bound.aside.get(name, {})
            elif parameter.kind in _POSITIONAL:
                args.append(source[name])
            else:
                kwargs[name] = source[name]
        return tuple(args), kwargs

    def _carrier(self, name: str) -> Carrier:
        found = self._carriers.get(name)
        if found is None or name == self._kwargs:
            assert self._kwargs is not None
            return self._carriers[self._kwargs].named(name)
        return found

    def _describe(self, descriptions: Mapping[str, str]) -> dict[str, Any]:
        found, definitions = schemas(self._carriers)
        for name, schema in found.items():
            if name in descriptions and "description" not in schema:
                schema["description"] = descriptions[name]
        others: Any = found.pop(self._kwargs, {}) if self._kwargs in self._carriers else False
        described: dict[str, Any] = {"type": "object", "properties": found}
        if found:
            described["required"] = list(found)
        if others != {}:
            described["additionalProperties"] = others
        if definitions:
            described["$defs"] = definitions
        self._check_defaults()
        return described

    def _check_defaults(self) -> None:
        """A default that cannot travel would fail every call that leaves it out: better now."""
        for name, parameter in self._signature.parameters.items():
            given = parameter.default is not parameter.empty and not isinstance(parameter.default, FieldInfo)
            if name in self._carriers and given:
                carrier = self._carriers[name]
                try:
                    carrier.carry(parameter.default)
                except Invalid as error:
                    raise TypeError(
                        f"The default of parameter {name!r} cannot travel: {error.detail} Annotate it, "
                        f"or say how it travels: encode={{{name!r}: (to_json, from_json)}}."
                    ) from None


def _with_real_defaults(signature: inspect.Signature) -> inspect.Signature:
    """Where a framework lets a default be written as pydantic's Field(default=…), that default itself."""
    parameters = []
    for parameter in signature.parameters.values():
        default = parameter.default
        if isinstance(default, FieldInfo) and not default.is_required():
            default = default.get_default(call_default_factory=True)
        parameters.append(parameter.replace(default=default))
    return signature.replace(parameters=parameters)


def _widened(parameter: inspect.Parameter, annotation: Any) -> Any:
    """What a parameter really takes: many of its kind for *args, and None where that is its default."""
    if annotation is parameter.empty:
        annotation = JSON
    if parameter.kind is parameter.VAR_POSITIONAL:
        return tuple[annotation, ...]
    if parameter.default is None and annotation is not JSON:
        return annotation | None if isinstance(annotation, type) else hints.optional(annotation)
    return annotation


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function)).rsplit("<locals>.", 1)[-1]
