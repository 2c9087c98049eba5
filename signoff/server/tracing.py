"""Traces by OpenTelemetry, where its own variables say where they go; otherwise nothing of it is loaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from signoff.errors import ConfigError
from signoff.models import spans

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Either says that traces are wanted, and where they go (OpenTelemetry's own names)."""
FLUSH_MS = 3000
"""How long what was traced may take to be sent when a role ends."""


def is_wanted(given: Mapping[str, str]) -> bool:
    """Whether an environment asks for traces."""
    off = given.get("OTEL_SDK_DISABLED", "").lower() == "true" or given.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(given.get(name) for name in ENDPOINTS)


def start(role: str, deployment: str) -> Callable[[], None]:
    """Trace what this process does, where that is wanted → what ends it; raises ConfigError.

    Call it in the process itself, after a fork: it starts a thread.
    """
    if not is_wanted(os.environ):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        raise ConfigError(f"{ENDPOINTS[0]} asks for traces: pip install 'signoff[otel]'") from None
    named = {"service.name": "signoff", "service.namespace": deployment, "signoff.role": role}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    spans.begin(provider.get_tracer("signoff"))

    def end() -> None:
        spans.begin(None)
        provider.force_flush(FLUSH_MS)
        provider.shutdown()

    return end
