"""Spans (OpenTelemetry): each step of a request's road, linked to the agent's span that asked.

Linked, not a part of its trace: somebody may decide hours later. Nothing is traced until a server's process
says so (`server.tracing`). No span holds a payload or a text of an agent's beside its action.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, section 3.2: version 00."""
_tracer: Any = None


def begin(tracer: Any) -> None:
    """From now on steps are traced by this tracer; None ends that."""
    global _tracer
    _tracer = tracer


@contextmanager
def step(name: str, agent: str, request_id: str, action: str, traceparent: str | None) -> Iterator[Any]:
    """A span around a step, such as `submit`; what is yielded takes more by `set_attribute`, or is None."""
    if _tracer is None:
        yield None
        return
    attributes = {"signoff.agent": agent, "signoff.request.id": request_id, "gen_ai.tool.name": action}
    with _tracer.start_as_current_span(
        f"signoff.{name}", attributes=attributes, links=_links(traceparent), record_exception=False
    ) as span:
        yield span


def current() -> str | None:
    """This program's own span, where it uses OpenTelemetry and one is under way: as a traceparent."""
    api = sys.modules.get("opentelemetry.trace")  # loaded by whoever traces: an agent's install has none
    if api is None:
        return None
    found = api.get_current_span().get_span_context()
    if not found.is_valid:
        return None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{int(found.trace_flags) & 0xFF:02x}"


def checked(text: object) -> str | None:
    """A traceparent; None for what is none: a request is not refused for that."""
    return text if isinstance(text, str) and TRACEPARENT.fullmatch(text) else None


def _links(traceparent: str | None) -> list[Any]:
    from opentelemetry import trace

    if checked(traceparent) is None:
        return []
    assert traceparent is not None
    _, trace_id, span_id, flags = traceparent.split("-")
    context = trace.SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=trace.TraceFlags(int(flags, 16))
    )
    return [trace.Link(context)]
