"""OpenTelemetry traces, off unless configured: one span per request, with its method, route and status and no more.

The traced application wraps the service, so a service without traces pays nothing. A caller's
`traceparent` (W3C Trace Context) is continued. Spans go to standard error, or to a collector by OTLP over HTTP in JSON.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Container, Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode

from serving.asgi import Message, Receive, Send

CONSOLE, SECONDS = "console", 5.0  # seconds within which a collector must take a batch of spans
_APP = Any


class TracedApp:
    """An ASGI application with a span around each of its requests."""

    def __init__(self, app: _APP, exporter: SpanExporter, product_paths: Container[str] = ()) -> None:
        """A thread sends the spans; a span that cannot be sent is dropped, and no answer waits for it.

        A request to one of the `product_paths` is named by its path.
        """
        self._app, self._product_paths = app, product_paths
        self._provider = TracerProvider(resource=Resource({"service.name": "haihe-scoring"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("haihe.serving")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request within a span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            scope["method"], _parent(headers), SpanKind.SERVER, record_exception=False, set_status_on_exception=True
        ) as span:

            async def observed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self._app(scope, receive, observed)
            finally:
                _set_route(span, scope["method"], self._route(scope))

    def close(self) -> None:
        """Send the remaining spans."""
        self._provider.shutdown()

    def _route(self, scope: Message) -> str:
        """The route as the OpenAPI document names it: a path itself could contain an identifier."""
        route = getattr(scope.get("route"), "path", None)
        return scope["path"] if scope["path"] in self._product_paths else str(route or "none")


def with_traces(app: _APP, destination: str, product_paths: Container[str] = ()) -> TracedApp:
    """`app` with its spans going to the `destination`: "console", or a collector's address."""
    return TracedApp(app, _exporter(destination), product_paths)


def _parent(headers: Mapping[str, str]) -> Context:
    return extract({name: headers[name] for name in ("traceparent", "tracestate") if name in headers})


def _set_route(span: Span, method: str, route: str) -> None:
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)


def _exporter(destination: str) -> SpanExporter:
    if destination == CONSOLE:
        return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n")
    return OtlpExporter(f"{destination.rstrip('/')}/v1/traces")


class OtlpExporter(SpanExporter):
    """Exports spans to an OTLP collector at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans, once."""
        resource = {"attributes": [_attribute("service.name", "haihe-scoring")]}
        scopes = [{"scope": {"name": "haihe.serving"}, "spans": [_otlp_span(span) for span in spans]}]
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):
                return SpanExportResult.SUCCESS
        except OSError:
            return SpanExportResult.FAILURE


def _otlp_span(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    parent = {"parentSpanId": f"{span.parent.span_id:016x}"} if span.parent else {}
    return {
        "traceId": f"{span.context.trace_id:032x}", "spanId": f"{span.context.span_id:016x}", **parent,
        "name": span.name, "kind": 2, "startTimeUnixNano": str(span.start_time), "endTimeUnixNano": str(span.end_time),
        "attributes": [_attribute(name, value) for name, value in (span.attributes or {}).items()],
        "status": {"code": span.status.status_code.value},
    }  # fmt: skip


def _attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}}
