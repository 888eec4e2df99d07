import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from random import getrandbits

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.core import logging as logs
from wxc.core.tracing import name_span
from wxc.server.shutdown import GracefulShutdown

_log = logging.getLogger("wxc.access")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)
# An AWS load balancer adds this id to each request and writes it into its own log.
_AMAZON_TRACE_ROOT = re.compile(r"(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)", re.ASCII)
_NO_ROUTE = "(no route)"

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-site",
    # OWASP ASVS 5.0, 3.4.3; `default-src` covers none of the other three.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}

RawHeaders = list[tuple[bytes, bytes]]
OnResponse = Callable[[Scope, str, int, float], None]
"""Called with the scope, route, status and seconds until the response began.

The status is 0 if no response began.
"""


class RequestContext:
    """Assigns request ids, adds security headers and writes the access log.

    The id is the client's `X-Request-ID`, else the load balancer's, else a new one.

    Inner layers put headers for the response into the scope's `answer_headers`; they are sent with
    refusals too. HEAD is served as GET, without the body.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        default_headers: RawHeaders,
        on_response: OnResponse,
        shutdown: GracefulShutdown,
    ) -> None:
        self.app = app
        self._shutdown = shutdown
        self._on_response = on_response
        self._default_headers = default_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id, balancer_trace = request_ids(scope["headers"])
        token = logs.request_id.set(request_id)
        fields = logs.RequestLogFields(balancer_trace=balancer_trace)
        fields_token = logs.request_fields.set(fields)
        name_span(request_id)
        inner_scope: Scope = {**scope, "answer_headers": {}}
        if scope["method"] == "HEAD":
            inner_scope["method"] = "GET"
        status, seconds_to_response = 0, 0.0

        def send_with_headers(message: Message) -> Awaitable[None]:
            nonlocal status, seconds_to_response
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds_to_response = time.perf_counter() - started
                headers = MutableHeaders(scope=message)
                headers.update(inner_scope["answer_headers"])
                self._complete_headers(status, headers, request_id)
            return send(message)

        try:
            if scope["method"] == "HEAD":
                head = _HeadExchange(receive, send_with_headers)
                await self.app(inner_scope, head.receive, head.send)
            else:
                await self.app(inner_scope, receive, send_with_headers)
        finally:
            route = getattr(inner_scope.get("route"), "path", _NO_ROUTE)
            self._on_response(scope, route, status, seconds_to_response)
            _log_request(scope, route, status, time.perf_counter() - started, fields)
            logs.request_fields.reset(fields_token)
            logs.request_id.reset(token)

    def _complete_headers(self, status: int, headers: MutableHeaders, request_id: str) -> None:
        if status == 204:
            del headers["content-type"]  # there is no body
        if self._shutdown.is_draining:
            headers["Connection"] = "close"
        present = dict(headers.raw)
        if present.get(b"content-type", b"").startswith(b"text/event-stream"):
            del headers["Cache-Control"]  # FastAPI's `no-cache` lets proxies store it
            present.pop(b"cache-control", None)
        headers.raw.append((b"x-request-id", request_id.encode()))
        headers.raw.extend([pair for pair in self._default_headers if pair[0] not in present])


def default_headers(*, is_secure: bool) -> RawHeaders:
    """The headers of every response that does not set them itself."""
    headers = {"Cache-Control": "no-store", **_SECURITY_HEADERS}
    if is_secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return Headers(headers).raw


def request_ids(raw_headers: RawHeaders) -> tuple[str, str | None]:
    """The request id, and the load balancer's id of the same request, if any."""
    headers = dict(reversed(raw_headers))  # the first one, if a header is repeated
    requested = headers.get(b"x-request-id", b"").decode("latin-1")
    trace = headers.get(b"x-amzn-trace-id", b"").decode("latin-1")
    found = _AMAZON_TRACE_ROOT.search(trace)
    balancer = found[1] if found else None
    if _REQUEST_ID.fullmatch(requested):
        return requested, balancer
    return balancer or f"{getrandbits(128):032x}", balancer


class _HeadExchange:
    """Runs a GET handler for a HEAD request: the response ends where its body would begin."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._has_received = False
        self._is_complete = asyncio.Event()

    async def receive(self) -> Message:
        """Return the request, then, after the response, a disconnect, which ends streams."""
        if not self._has_received:
            self._has_received = True
            return await self._receive()
        await self._is_complete.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Pass on the response head, and one empty body in place of the actual one."""
        if message["type"] == "http.response.body":
            if self._is_complete.is_set():
                return
            self._is_complete.set()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def _log_request(
    scope: Scope, route: str, status: int, seconds: float, fields: logs.RequestLogFields
) -> None:
    """Log the template of the route: the path may contain a token, the query a user's search."""
    if not _log.isEnabledFor(logging.INFO):
        return
    values = {
        "method": scope["method"],
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "statements": fields.statements,
    }
    if fields.user_id is not None:
        values["user_id"] = str(fields.user_id)
    if fields.balancer_trace is not None:
        values["balancer_trace"] = fields.balancer_trace
    _log.info("%(method)s %(route)s %(status)d in %(milliseconds).1f ms", values, extra=values)
