"""OpenTelemetry traces, off unless configured: a span a request, with method, route and status and nothing else of it.

It stands around the service, so that nothing is paid for it where it is off; on the fast way, where nothing stands
around, a span is told when it is over. A caller's `traceparent` (W3C Trace Context) is continued. Spans go to standard
error or, by OTLP over HTTP in JSON, to a collector.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, StatusCode

from serving.http.endpoint import EXCHANGE, Message, Receive, Send

CONSOLE, SECONDS = "console", 5.0
_APP = Any


class Traced:
    """An ASGI application with a span around each request of it."""

    def __init__(self, app: _APP, exporter: SpanExporter) -> None:
        """Spans are sent by a thread of their own; what cannot be sent is dropped, and no answer waits for it."""
        self._app = app
        self._provider = TracerProvider(resource=Resource({"service.name": "haihe-scoring"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("haihe.serving")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer, and tell how long it took."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Without the server's short cut, which would pass by the message that holds the status.
        scope = {**scope, "extensions": {k: v for k, v in scope.get("extensions", {}).items() if k != EXCHANGE}}
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self._tracer.start_as_current_span(
            scope["method"], _carried(told), SpanKind.SERVER, record_exception=False, set_status_on_exception=True
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
                _name(span, scope["method"], _route(scope))

    def tell(self, path: str, status: int, seconds: float, told: Mapping[str, str]) -> None:
        """A POST to a product's path that ended just now, after so many seconds; `told` are headers it came with."""
        end = time.time_ns()
        span = self._tracer.start_span("POST", _carried(told), SpanKind.SERVER, start_time=end - int(seconds * 1e9))
        span.set_attribute("http.response.status_code", status)
        _name(span, "POST", path)
        span.end(end)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def traced(app: _APP, where: str) -> Traced:
    """`app` with spans going `where`: "console", or a collector's address."""
    return Traced(app, _exporter(where))


def _carried(told: Mapping[str, str]) -> Context:
    return extract({name: told[name] for name in ("traceparent", "tracestate") if name in told})


def _name(span: Span, method: str, route: str) -> None:
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)


def _exporter(where: str) -> SpanExporter:
    if where == CONSOLE:
        return ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n")
    return Collector(f"{where.rstrip('/')}/v1/traces")


def _route(scope: Message) -> str:
    """The route as the document names it: a path itself could hold a name of somebody's."""
    from serving.http.products import PRODUCTS

    route = getattr(scope.get("route"), "path", None)
    return scope["path"] if scope["path"] in PRODUCTS else str(route or "none")


class Collector(SpanExporter):
    """An OTLP collector at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them, once."""
        resource = {"attributes": [_attribute("service.name", "haihe-scoring")]}
        scopes = [{"scope": {"name": "haihe.serving"}, "spans": [_told(span) for span in spans]}]
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):
                return SpanExportResult.SUCCESS
        except OSError:
            return SpanExportResult.FAILURE


def _told(span: ReadableSpan) -> dict[str, Any]:
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
