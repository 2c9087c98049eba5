"""Annotations that cannot be used: each is a TypeError when the gate is put on, whatever pydantic raises."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from signoff import Signoff

LOOKS = "(?=a)b"


class Backtracks(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    code: Annotated[str, Field(pattern=LOOKS)]


class Broken:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        raise KeyError("nothing here")


class Undescribed:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler(str)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        raise ZeroDivisionError


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: str


def extra(**schema: Any) -> Any:
    return Annotated[str, WithJsonSchema({"type": "string", **schema})]


UNUSABLE: list[Any] = [
    Annotated[str, Field(pattern=LOOKS)],
    Annotated[str, Field(pattern="(?<!a)b")],
    Annotated[str, Field(pattern=r"(a)\1")],
    Annotated[str, Field(pattern="(")],
    Annotated[str, Field(pattern=r"^[\w-.]+$")],
    Annotated[str, Field(pattern="^a.{1,5000}$")],
    Annotated[str, Field(pattern=re.compile(LOOKS))],
    list[Annotated[str, Field(pattern=LOOKS)]],
    dict[str, Annotated[str | None, Field(pattern=LOOKS)]],
    Backtracks,
    list[Backtracks],
    Broken,
    Undescribed,
    Annotated[int, Field(gt="a")],  # type: ignore[arg-type]
    Annotated[int, Field(le=float("inf"))],
    Annotated[str, Field(min_length=-1)],
    Annotated[int, Field(multiple_of=0)],
    Annotated[Cat | Dog, Field(discriminator="kind")],
    Annotated[Cat | Dog, Field(discriminator="nothing")],
    extra(pattern=LOOKS),
    extra(type="text"),
    extra(exclusiveMinimum=True),
    extra(**{"$ref": "https://example.com/a"}),
    extra(description="x" * 40_000),
    extra(items=[{}]),
    Literal["x" * 40_000],
    type,
    Callable[[], int],
    "NotImported",
]


@pytest.mark.parametrize("annotation", UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_cannot_be_used_is_a_type_error_at_once(signoff: Signoff, annotation: Any) -> None:
    def transfer(it: Any) -> None: ...

    transfer.__annotations__["it"] = annotation
    with pytest.raises(
        TypeError, match=r"Parameter 'it' .* cannot travel|transfer\(\) cannot be|parameter 'it'"
    ):
        signoff.require_approval(transfer)


def test_a_look_ahead_is_told_with_what_to_do(signoff: Signoff) -> None:
    def transfer(code: Annotated[str, Field(pattern=LOOKS)]) -> None: ...

    with pytest.raises(
        TypeError, match=r"'code'.*Error: look-around, .*not supported: write the pattern without"
    ):
        signoff.require_approval(transfer)
