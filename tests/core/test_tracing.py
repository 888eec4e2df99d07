"""The load balancer's request id appears in the log line, the trace and the SQL comment."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.app import running_app
from tests.support.browser import Browser

from wxc.core.config import Config
from wxc.core.tracing import redacting, sql_comment, trace_spans

ROOT_ID = "1-67891233-abcdef012345678912345678"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE_HEADERS = {
    "X-Amzn-Trace-Id": f"Root={ROOT_ID}",
    "traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01",
}


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """An OpenTelemetry collector: its URL and the spans it has received."""
    spans: list[Any] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()


def attribute(span: Any, name: str) -> str | None:
    return next((one.value.string_value for one in span.attributes if one.key == name), None)


def access_log(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if line["logger"] == "wxc.access"]


async def test_a_request_is_traced_from_the_load_balancer_to_the_sql_statement(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with collector() as (address, spans):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
        tracing = config.model_copy(update={"tracing": True})
        async with running_app(tracing) as app, Browser(app) as browser:
            await browser.get("/users/noise_1")  # not sampled
            await browser.get("/users/noise_1?canary=secret", headers=TRACE_HEADERS)
            answer = await browser.get("/users/noise_1", headers=TRACE_HEADERS)
            await browser.post(f"/verify-email/{'secret' * 8}", headers=TRACE_HEADERS)
            await browser.get("/livez", headers=TRACE_HEADERS)

    assert answer.headers["x-request-id"] == ROOT_ID
    lines = [one for one in access_log(capsys) if one.get("trace_id") == TRACE_ID]
    (line,) = [one for one in lines if one["status"] == 200]
    assert (line["request_id"], line["balancer_trace"], line["statements"]) == (ROOT_ID, ROOT_ID, 1)
    assert {span.trace_id.hex() for span in spans} == {TRACE_ID}
    names = [span.name for span in spans]
    assert names.count("GET /users/{username}") == 2
    assert "POST /verify-email/{token}" in names
    assert "GET /livez" not in names
    requests = [span for span in spans if span.name == "GET /users/{username}"]
    assert {attribute(one, "wxc.request_id") for one in requests} == {ROOT_ID}
    statements = [attribute(span, "db.statement") or "" for span in spans]
    signed = f"/*request_id='{ROOT_ID}',traceparent='00-{TRACE_ID}-"
    assert any(one.startswith(signed) and "FROM users" in one for one in statements)
    assert "secret" not in str(spans)


async def test_exported_spans_contain_no_error_messages() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(redacting(kept)))
    tracer = provider.get_tracer("test")

    with pytest.raises(ValueError, match="ada@"), tracer.start_as_current_span("INSERT"):
        raise ValueError("Key (email)=(ada@example.com) already exists")
    assert provider.force_flush()
    provider.shutdown()

    (span,) = kept.get_finished_spans()
    assert not span.status.is_ok
    assert "ada@" not in span.to_json()


async def test_disabled_tracing_adds_no_sql_comment(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with trace_spans(config, "wxc-test"):
        assert sql_comment() == ""
    async with running_app(config) as app, Browser(app) as browser:
        answer = await browser.get("/users/noise_1", headers=TRACE_HEADERS)

    assert answer.headers["x-request-id"] == ROOT_ID
    assert [one.get("trace_id") for one in access_log(capsys)] == [None]
