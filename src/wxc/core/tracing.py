"""OpenTelemetry traces, if `TRACING` is on and the extra `wxc-social[otel]` is installed.

FastAPI creates the spans of requests, the asyncpg and redis instrumentations those of commands.
OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER …) configure export
and sampling. Exported spans contain neither user input nor error messages.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

from wxc.core import logging as logs
from wxc.core.config import Config

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

_PROBES = frozenset({"/livez", "/healthz", "/readyz"})
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_-]{0,36}", re.ASCII)  # an id or a name, not a token


def telemetry(config: Config) -> TelemetryConfig:
    """FastAPI's telemetry: traces only; metrics and logs are our own."""
    return {"tracing": config.tracing, "metrics": False, "logs": False, "exclude": _is_probe}


def _is_probe(scope: Any) -> bool:  # noqa: ANN401 - FastAPI's type of a scope
    return scope.get("path") in _PROBES


@contextmanager
def trace_spans(config: Config, service: str) -> Iterator[None]:
    """Collect and export spans during the block, if `TRACING` is on."""
    if not config.tracing:
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
    from opentelemetry.instrumentation.redis import RedisInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(redacting(OTLPSpanExporter())))
    trace.set_tracer_provider(provider)
    instrumentors = AsyncPGInstrumentor(), RedisInstrumentor()  # type: ignore[no-untyped-call]
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    try:
        yield
    finally:
        for instrumentor in instrumentors:
            instrumentor.uninstrument()
        provider.shutdown()


def name_span(request_id: str) -> None:
    """Set the request id on the current span, if any."""
    trace.get_current_span().set_attribute("wxc.request_id", request_id)


def sql_comment() -> str:
    """A comment with the ids of the request and its trace; empty unless the trace is sampled.

    A text that changes with every request defeats the cache of prepared statements.
    """
    span = trace.get_current_span().get_span_context()
    if not span.trace_flags.sampled:
        return ""
    ids = f"{span.trace_id:032x}-{span.span_id:016x}"
    return f"/*request_id='{logs.request_id.get()}',traceparent='00-{ids}-01'*/ "


def redacting(exporter: "SpanExporter") -> "SpanExporter":
    """Wrap the exporter; removes queries, tokens and error messages from the spans."""
    from opentelemetry.sdk.trace.export import SpanExporter

    class RedactingExporter(SpanExporter):
        def export(self, spans: "Sequence[ReadableSpan]") -> "SpanExportResult":
            return exporter.export([_redacted(span) for span in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return RedactingExporter()


def _redacted(span: "ReadableSpan") -> "ReadableSpan":
    """Copy the span without secrets, and without events: exceptions may quote rows."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    attributes = span.attributes or {}
    redacted = {name: value for name, value in attributes.items() if name != "url.query"}
    if "url.path" in redacted:
        segments = str(redacted["url.path"]).split("/")
        redacted["url.path"] = "/".join(
            part if _PLAIN_SEGMENT.fullmatch(part) else "-" for part in segments
        )
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=redacted,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
