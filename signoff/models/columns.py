"""The kinds of columns that tables have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Text
from sqlmodel import Field


def time(**options: Any) -> Any:
    """Integer microseconds since 1970, UTC."""
    return Field(sa_type=BigInteger, **options)


def count() -> Any:
    """A number that begins at 0."""
    return Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


def words(**options: Any) -> Any:
    """Text."""
    return Field(sa_type=Text, **options)
