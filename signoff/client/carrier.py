"""One parameter's values as JSON and back, by its annotation."""

from __future__ import annotations

import base64
import json
import re
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ConfigDict, PlainSerializer, TypeAdapter, ValidationError, WithJsonSchema, WrapValidator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticSerializationError, core_schema

from signoff.errors import Invalid
from signoff.models.texts import message_of
from signoff.payload import whole
from signoff.payload.canonical import canonical

Encode = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""(to_json, from_json): from the argument to a JSON value, and back."""
JSON: Any = Any
"""How a parameter without an annotation travels: as it is, so it has to be JSON."""

# What is nested in dataclasses and named tuples follows this too; models have their own configuration.
CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", extra="forbid")
# RFC 3339's formats are too strict for Python's times: no time zone, fractions in durations.
ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?"
TIME = rf"[0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,6}})?)?{ZONE}"
DURATION = r"^-?P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]{1,6})?S)?)?$"
DECIMAL = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_UNEXPECTED = "Pydantic serializer warnings:"
"""How pydantic begins where a value is not of its annotation's type; a line for each place follows."""
_INSIDE = re.compile(r"Expected `([^`\n]+)`[^\n]*input_type=([\w.]+)")


class _Schema(GenerateJsonSchema):
    """JSON Schema of what travels: without titles that only repeat a name, patterns in linear time."""

    def emit_warning(self, kind: Any, detail: str) -> None:
        """What cannot be described, such as a default in bytes, is only left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        return {"type": "string", "contentEncoding": "base64url"}

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": DECIMAL}

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        if schema.get("tz_constraint") == "aware":
            return {"type": "string", "format": "date-time"}
        return {"type": "string", "pattern": f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{TIME}$"}

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{TIME}$"}

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": DURATION}


@dataclass(frozen=True)
class Carrier:
    """Packs one parameter's values. Raises Invalid, naming the parameter, for a value it cannot carry."""

    name: str
    adapter: TypeAdapter[tuple[Any]]
    annotation: Any = JSON
    encode: Encode | None = None

    @classmethod
    def of(cls, name: str, annotation: Any, encode: Encode | None = None) -> Carrier:
        """For one annotation; raises TypeError, naming the parameter, when JSON cannot hold its values."""
        if encode is not None and not (len(encode) == 2 and all(map(callable, encode))):
            raise TypeError(f"encode={{{name!r}: …}} has to be two functions: (to_json, from_json).")
        try:
            # A tuple, because only what stands inside something else takes a configuration from outside.
            wrapped: Any = tuple[JSON] if encode else tuple[_in_base64(annotation)]  # type: ignore[misc]
            adapter: TypeAdapter[tuple[Any]] = TypeAdapter(wrapped, config=CONFIG)
            adapter.json_schema(mode="serialization", schema_generator=_Schema)
        except Exception as error:  # an annotation may bring code of its own, and pydantic has many errors
            raise TypeError(
                f"Parameter {name!r} ({_shown(annotation)}) cannot travel as JSON: say how with "
                f"encode={{{name!r}: (to_json, from_json)}}. {_said(error)}"
            ) from None
        return cls(name, adapter, annotation, encode)

    def named(self, name: str) -> Carrier:
        """The same for another name: one of a function's **kwargs."""
        return replace(self, name=name)

    def pack(self, value: Any) -> Any:
        """An argument → a JSON value."""
        if self.encode:
            return self.encode[0](value)
        try:
            dumped = self.adapter.dump_python((value,), mode="json", by_alias=True, warnings="error")
            return whole.as_text(dumped[0])
        except (PydanticSerializationError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise Invalid(self._unfit(value, error)) from None

    def _unfit(self, value: Any, error: Exception) -> str:
        """Why an argument cannot travel: what its annotation expects, and what was given."""
        given, said = _shown(type(value)), str(error)
        if not said.startswith(_UNEXPECTED):
            return f"{self.name} is {given}, which cannot travel: {_first(error)}"
        found = _INSIDE.search(said)
        expected, inside = found.groups() if found else ("", given)
        if inside == given:
            return f"{self.name} has to be {_shown(self.annotation)}, and {given} was given."
        return (
            f"{self.name} has to be {_shown(self.annotation)}, and the {given} that was given holds {inside} "
            f"where {expected} is expected."
        )

    def unpack(self, packed: Any) -> Any:
        """A JSON value → the argument."""
        if self.encode:
            return self.encode[1](packed)
        try:
            return self._read(packed)
        except ValidationError as error:
            if whole.holds_text(packed):  # where the annotation is strict: a number is a number there
                with suppress(ValidationError):
                    return self._read(whole.as_number(packed))
            fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = "".join(f".{part}" for part in fault["loc"][1:])
            raise Invalid(f"{self.name}{place}: {message_of(fault)}.") from None

    def _read(self, packed: Any) -> Any:
        return self.adapter.validate_json(json.dumps([packed]), by_alias=True, by_name=False)[0]

    def carry(self, value: Any) -> Any:
        """An argument → a JSON value that brings it back: what was approved is what will run.

        It is read back from canonical text, so that it shares nothing with the argument. Raises Invalid where
        the argument does not fit its annotation, or would come back as something else.
        """
        text = canonical(self.pack(value), self.name)
        packed = json.loads(text)
        back = self.unpack(packed)
        again = self.pack(back)
        same = canonical(again, self.name) == text
        if not self.encode:  # a set gives its values in any order, and is the same for that
            same = same or canonical(_unordered(again)) == canonical(_unordered(packed))
            same = same and alike(value, back)
        if not same and not self.encode and whole.holds_text(packed):
            raise Invalid(
                f"{self.name} holds a number of 2^53 or more. It travels as text, and "
                f"{_shown(self.annotation)} does not say that such a text is a number: annotate it as int, "
                "and as nothing else that a text may be, or pass it as text."
            )
        if not same:
            raise Invalid(
                f"{self.name} is {_shown(type(value))}, which does not come back from JSON as it went in: "
                "pass what its annotation says, or give require_approval an encode= for it."
            )
        return json.loads(text)


def schemas(carriers: Mapping[str, Carrier]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The JSON Schema of each, and the definitions that they share."""
    if not carriers:
        return {}, {}
    wanted = [(name, "serialization", carrier.adapter) for name, carrier in carriers.items()]
    found, shared = TypeAdapter.json_schemas(wanted, schema_generator=_Schema)  # type: ignore[arg-type]
    definitions = shared.get("$defs", {})
    for name, definition in definitions.items():
        if definition.get("title") == name.rpartition("__")[2]:
            del definition["title"]
    return {name: dict(found[name, "serialization"]["prefixItems"][0]) for name in carriers}, definitions


def alike(value: Any, back: Any) -> bool:
    """Whether an argument came back as it went: lists and tuples count as the same, subclasses do not."""
    if isinstance(value, list | tuple) and isinstance(back, list | tuple):
        return len(value) == len(back) and all(map(alike, value, back))
    if isinstance(value, Mapping) and isinstance(back, Mapping):
        return value.keys() == back.keys() and all(alike(value[name], back[name]) for name in value)
    if whole.is_large(value) and not isinstance(back, int):
        return False  # it went as text, and came back as a fraction, or as that text
    if isinstance(value, bool) != isinstance(back, bool):
        return False  # Python's True is 1, and nobody who was asked about 1 has seen it
    if bool(value == back):
        return True
    return type(value) is type(back) and hasattr(value, "__dict__") and alike(vars(value), vars(back))


def _unordered(packed: Any) -> Any:
    """JSON values with every list in one order, whatever it came in."""
    if isinstance(packed, dict):
        return {name: _unordered(value) for name, value in packed.items()}
    if isinstance(packed, list):
        return sorted(map(_unordered, packed), key=canonical)
    return packed


def _read_base64(value: Any, handler: Callable[[Any], Any]) -> Any:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else handler(value)


_BASE64 = (
    PlainSerializer(lambda value: base64.b64encode(value).decode(), when_used="json"),
    WrapValidator(_read_base64),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
)


def _in_base64(annotation: Any) -> Any:
    """The annotation with every `bytes` that stands in it plainly as standard base64."""
    if annotation is bytes:
        return Annotated[(bytes, *_BASE64)]
    origin, inner = get_origin(annotation), get_args(annotation)
    if bytes not in inner and not any(get_args(part) for part in inner):
        return annotation
    if origin is Annotated:
        return Annotated[(_in_base64(inner[0]), *inner[1:])]
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_in_base64, inner))]  # noqa: UP007
    if isinstance(origin, type) and origin.__module__ in ("builtins", "collections", "collections.abc"):
        return origin[tuple(map(_in_base64, inner))]  # type: ignore[index]
    return annotation


def _said(error: Exception) -> str:
    """What is wrong with an annotation. Of an error of many lines the last says it; it has no full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    found = lines[-1] if lines[0].endswith(":") else lines[0]
    if "regex parse error" in str(error):
        found += ": write the pattern without, or check the text in an AfterValidator"
    return found[:1].upper() + found[1:300].rstrip(".") + "."


def _first(error: Exception) -> str:
    line = str(error).splitlines()[0][:200]
    return line if line.endswith(".") else line + "."


def _shown(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
