"""Traces by OpenTelemetry, where `TRACING` is on and the extra `wxc-social[otel]` is installed.

FastAPI makes the spans of requests by itself, the instrumentations of asyncpg and redis those of
their commands. Where they go and how many there are, is said by OpenTelemetry's own variables
(OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER …). What leaves the process is told neither
what a member has typed nor what an error quotes.
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


class OtelMissing(Exception):  # noqa: N818 - a fact that the operator reads
    """TRACING needs the extra: pip install 'wxc-social[otel]'."""


def telemetry(config: Config) -> TelemetryConfig:
    """What FastAPI is to do: traces if they are wanted; metrics and logs are our own."""
    return {
        "tracing": config.tracing,
        "metrics": False,
        "logs": False,
        "exclude": _is_probe,
    }


def _is_probe(scope: Any) -> bool:  # noqa: ANN401 - FastAPI's type of a scope
    return scope.get("path") in _PROBES


@contextmanager
def traced(config: Config, service: str) -> Iterator[None]:
    """Collect spans and send them while the block lasts; nothing where `TRACING` is off."""
    if not config.tracing:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
        from opentelemetry.instrumentation.redis import RedisInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as missing:
        raise OtelMissing from missing
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(discreet(OTLPSpanExporter())))
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
    """Have the request's span carry its id; nothing without a span."""
    trace.get_current_span().set_attribute("wxc.request_id", request_id)


def sql_comment() -> str:
    """What a statement of this request begins with: its id and trace, where the trace is kept.

    Only there: a text that changes defeats the cache of prepared statements.
    """
    span = trace.get_current_span().get_span_context()
    if not span.trace_flags.sampled:
        return ""
    ids = f"{span.trace_id:032x}-{span.span_id:016x}"
    return f"/*request_id='{logs.request_id.get()}',traceparent='00-{ids}-01'*/ "


def discreet(exporter: "SpanExporter") -> "SpanExporter":
    """The exporter, told neither queries nor tokens nor the words of errors."""
    from opentelemetry.sdk.trace.export import SpanExporter

    class Discreet(SpanExporter):
        def export(self, spans: "Sequence[ReadableSpan]") -> "SpanExportResult":
            return exporter.export([_without_secrets(span) for span in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Discreet()


def _without_secrets(span: "ReadableSpan") -> "ReadableSpan":
    """The same span; events hold exceptions, and a database's words quote rows."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Status

    attributes = span.attributes or {}
    kept = {name: value for name, value in attributes.items() if name != "url.query"}
    if "url.path" in kept:
        segments = str(kept["url.path"]).split("/")
        kept["url.path"] = "/".join(
            part if _PLAIN_SEGMENT.fullmatch(part) else "-" for part in segments
        )
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=kept,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
