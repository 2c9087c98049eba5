"""Traces by OpenTelemetry: to a real collector's endpoint, linked to the agent's span, and off otherwise."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from support import Core

from signoff.client.ask import build_request
from signoff.models import spans
from signoff.models.messages import ApprovalRequest
from signoff.server import environment, tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What an OTLP endpoint was sent; the environment says where it is."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(tracing.ENDPOINTS[0], f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield sent
        server.shutdown()
        thread.join()


def sent_spans(bodies: list[bytes]) -> list[Any]:
    """All spans of these bodies."""
    found = [ExportTraceServiceRequest.FromString(body) for body in bodies]
    return [span for one in found for r in one.resource_spans for s in r.scope_spans for span in s.spans]


def test_each_step_is_a_span_that_is_linked_to_the_agents(core: Core, collector: list[bytes]) -> None:
    end = tracing.start("worker", "payments")
    try:
        approval = core.submit(payload={"canary": "secret-text"}, reason="secret-text", traceparent=PARENT)
        core.approvals.decide(approval.id, 1, "U0ANA", "reject", reason="secret-text")
        core.submit(payload={"canary": "other"}, traceparent="no trace at all")
    finally:
        end()
    found = sent_spans(collector)
    names = [span.name for span in found]
    assert {"signoff.submit", "signoff.decide", "signoff.publish"} <= set(names)
    linked = [span for span in found if span.links]
    assert {span.name for span in linked} == {"signoff.submit", "signoff.decide", "signoff.publish"}
    for span in linked:
        (link,) = span.links
        assert (link.trace_id.hex(), link.span_id.hex()) == (TRACE, SPAN)
        attributes = {one.key: one.value.string_value for one in span.attributes}
        assert attributes["signoff.request.id"] == approval.id
        assert attributes["gen_ai.tool.name"] == "refund.create"
    assert len(names) - len(linked) == 1 and not any(b"secret-text" in body for body in collector)
    assert core.approvals.get(approval.id).traceparent == PARENT


def test_nothing_is_loaded_or_sent_where_nobody_asks_for_it() -> None:
    program = (
        "import sys, signoff.server.tracing as t; t.start('worker', 'x')(); "
        "import signoff.approvals.service; mine = ('opentelemetry.sdk.trace', 'opentelemetry.exporter'); "
        "print([m for m in sys.modules if m.startswith(mine)])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment.plain({})
    )
    assert run.stdout.strip() == "[]"
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    assert tracing.is_wanted(wanted)
    for off in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
        assert not tracing.is_wanted(wanted | off)
    assert environment.for_role(wanted) == wanted and environment.plain(wanted) == {}


def test_an_agent_that_traces_says_where_its_request_comes_from() -> None:
    assert build_request("billing-bot", "refund.create", {}, {})[0].traceparent is None
    with TracerProvider().get_tracer("agent").start_as_current_span("turn") as span:
        request, body, _ = build_request("billing-bot", "refund.create", {}, {})
    context = span.get_span_context()
    assert (
        request.traceparent == f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    )
    assert ApprovalRequest.decode(body).traceparent == request.traceparent


@pytest.mark.parametrize(
    "text", ["", "x", PARENT[:-1], PARENT + "-x", PARENT.upper(), "00-" + "0" * 32 + PARENT[35:], 5, None]
)
def test_what_is_no_traceparent_is_left_out_and_refuses_nothing(text: Any) -> None:
    assert spans.checked(text) is None
    assert spans.checked(PARENT) == PARENT
