"""What is put beside a tool's own result: who changed what before it ran, and their note; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.adapters.mcp.messages import Message
from signoff.errors import Invalid
from signoff.payload.schema import TooCostly
from signoff.payload.usable import usable

NOTE_KEY = "dev.signoff/note"
"""In a result's `_meta`."""
STRUCTURED_KEY = "signoff_note"
"""In structured content, where the tool's output schema takes it."""


def with_note(response: Message, told: str, tool: Mapping[str, Any] | None) -> Message:
    """A response to a call, and in it what the model is told; as it was where there is nothing to tell.

    Clients show a model the content, or the structured content alone: so it stands in both, and in `_meta`.
    """
    result = response.get("result")
    if not told or not isinstance(result, dict):
        return response
    if isinstance(result.get("result"), dict) and "taskId" in result:  # of a task that has ended
        return {**response, "result": {**result, **with_note({"result": result["result"]}, told, tool)}}
    made = dict(result)
    meta = result.get("_meta")
    made["_meta"] = {**(meta if isinstance(meta, dict) else {}), NOTE_KEY: told}
    if isinstance(result.get("content"), list):
        made["content"] = [*result["content"], {"type": "text", "text": told}]
    structured = result.get("structuredContent")
    if isinstance(structured, dict) and takes_note(structured, (tool or {}).get("outputSchema"), told):
        made["structuredContent"] = {**structured, STRUCTURED_KEY: told}
    return {**response, "result": made}


def takes_note(structured: Mapping[str, Any], schema: object, told: str) -> bool:
    """Whether structured content with the note still is what the tool says that it gives."""
    if STRUCTURED_KEY in structured:
        return False
    if schema is None:
        return True
    read = usable(schema)
    if read.ready is None or read.gaps:
        return False  # what we cannot check by, the client may
    try:
        return not read.ready.problems({**structured, STRUCTURED_KEY: told})
    except (Invalid, TooCostly):
        return False


def succeeded(response: Message) -> bool:
    """Whether a call ran to its end, as its server says."""
    result = response.get("result")
    if not isinstance(result, dict) or result.get("isError"):
        return False
    if "taskId" in result:
        return result.get("status") == "completed" and succeeded(result)
    return True
