"""The operations of API v1 beyond yes and no, as OpenAPI describes them, and the models that they take."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

KINDS: tuple[type[BaseModel], ...] = ()
"""What their bodies and answers are."""


def paths() -> dict[str, Any]:
    """Address → its operations."""
    return {}
