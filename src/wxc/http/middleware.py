"""The edge of the application, as pure ASGI: what holds for every request and every answer.

From the outside in: `Envelope` (request id, headers, log line), CORS, `Faults` (any exception
becomes a problem), `OriginGate` (CSRF, first layer), `BodyGate` (JSON or nothing), `LoadGate`
(deadline, requests in flight), `StreamGate` (the same for live streams and exports).
`BaseHTTPMiddleware` is banned: it leaks database connections when a request is cancelled.

What only looks at a request or a message is a plain function that returns what the next one
returns: a coroutine for each of these layers would cost as much again as what they look for.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection
from random import getrandbits

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.core import logging as logs
from wxc.core.tracing import name_span
from wxc.http.bodies import ClientGone
from wxc.http.problems import problem_response
from wxc.http.refusals import CsrfFailed, DeadlineExceeded, Overloaded
from wxc.http.traffic import Traffic
from wxc.server.shutdown import Departure

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 section 9.2.1

_log = logging.getLogger("wxc.access")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)
# What an AWS load balancer adds to each request, and writes into its own log.
_BALANCER_TRACE = re.compile(r"(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)", re.ASCII)
_NO_ROUTE = "(no route)"

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-site",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


Meter = Callable[[Scope, str, int, float], None]
"""Counts a request, given its scope, route, status and seconds until the answer began.

The status is 0 if no answer began.
"""


class Envelope:
    """Give every request an id and a log line, and every answer its security headers.

    The id is what the client's `X-Request-ID` says, else the load balancer's, else a new one.

    What inner layers put into the scope's `answer_headers` goes with the answer whatever becomes
    of the request, a refusal included. HEAD is served as GET whose body nobody waits for.
    """

    def __init__(
        self, app: ASGIApp, *, is_secure: bool, meter: Meter, departure: Departure
    ) -> None:
        self.app = app
        self._departure = departure
        self._meter = meter
        defaults = {"Cache-Control": "no-store", **_SECURITY_HEADERS}
        if is_secure:
            defaults["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        self._defaults = Headers(defaults).raw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id, balancer_trace = _names(scope)
        token = logs.request_id.set(request_id)
        facts = logs.RequestFacts(balancer_trace=balancer_trace)
        facts_token = logs.facts.set(facts)
        name_span(request_id)
        inner: Scope = {**scope, "answer_headers": {}}
        if scope["method"] == "HEAD":
            inner["method"] = "GET"
        status, waited = 0, 0.0

        def send_in_envelope(message: Message) -> Awaitable[None]:
            nonlocal status, waited
            if message["type"] == "http.response.start":
                status, waited = message["status"], time.perf_counter() - started
                headers = MutableHeaders(scope=message)
                headers.update(inner["answer_headers"])
                self._seal(status, headers, request_id)
            return send(message)

        try:
            if scope["method"] == "HEAD":
                exchange = _HeadOnly(receive, send_in_envelope)
                await self.app(inner, exchange.receive, exchange.send)
            else:
                await self.app(inner, receive, send_in_envelope)
        finally:
            route = getattr(inner.get("route"), "path", _NO_ROUTE)
            self._meter(scope, route, status, waited)
            _log_request(scope, route, status, time.perf_counter() - started, facts)
            logs.facts.reset(facts_token)
            logs.request_id.reset(token)

    def _seal(self, status: int, headers: MutableHeaders, request_id: str) -> None:
        if status == 204:
            del headers["content-type"]  # of nothing
        if self._departure.is_near:
            headers["Connection"] = "close"
        named = dict(headers.raw)
        if named.get(b"content-type", b"").startswith(b"text/event-stream"):
            del headers["Cache-Control"]  # FastAPI's own `no-cache` lets proxies keep it
            named.pop(b"cache-control", None)
        headers.raw.append((b"x-request-id", request_id.encode()))
        headers.raw.extend([pair for pair in self._defaults if pair[0] not in named])


def _names(scope: Scope) -> tuple[str, str | None]:
    """The id of the request, and what the load balancer calls it."""
    headers = dict(reversed(scope["headers"]))  # of several the first
    asked = headers.get(b"x-request-id", b"").decode("latin-1")
    trace = headers.get(b"x-amzn-trace-id", b"").decode("latin-1")
    found = _BALANCER_TRACE.search(trace)
    balancer = found[1] if found else None
    if _REQUEST_ID.fullmatch(asked):
        return asked, balancer
    return balancer or f"{getrandbits(128):032x}", balancer


class _HeadOnly:
    """An exchange in which no body is wanted: the first part of one ends it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._has_received = False
        self._is_answered = asyncio.Event()

    async def receive(self) -> Message:
        """The request; then, once it is answered, that the client has gone: streams end by it."""
        if not self._has_received:
            self._has_received = True
            return await self._receive()
        await self._is_answered.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Pass on the head, and an empty body in place of the first part of one."""
        if message["type"] == "http.response.body":
            if self._is_answered.is_set():
                return
            self._is_answered.set()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def _log_request(
    scope: Scope, route: str, status: int, seconds: float, facts: logs.RequestFacts
) -> None:
    """One line with the route's template: a path may carry a token, a query somebody's search."""
    if not _log.isEnabledFor(logging.INFO):
        return
    fields = {
        "method": scope["method"],
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "statements": facts.statements,
    }
    if facts.user_id is not None:
        fields["user_id"] = str(facts.user_id)
    if facts.balancer_trace is not None:
        fields["balancer_trace"] = facts.balancer_trace
    _log.info("%(method)s %(route)s %(status)d in %(milliseconds).1f ms", fields, extra=fields)


class Cors(CORSMiddleware):
    """Starlette's CORS, with a problem in place of its plain-text refusal of a preflight."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "DELETE"),
            allow_headers=(
                "Content-Type",
                "X-CSRF-Token",
                "Idempotency-Key",
                "If-Match",
                "If-None-Match",
                "Last-Event-ID",
                "X-Request-ID",
            ),
            allow_credentials=True,
            expose_headers=(
                "ETag",
                "Location",
                "Link",
                "Retry-After",
                "RateLimit",
                "RateLimit-Policy",
                "X-Request-ID",
                "Idempotency-Replayed",
            ),
        )

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """What Starlette's own adds, and to a listed origin only: others get nothing to read."""
        origin = request_headers.get("origin", "")
        is_listed = self.is_allowed_origin(origin)

        def send_with_origin(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                headers = MutableHeaders(scope=message)
                if is_listed:
                    headers.update(self.simple_headers)
                    headers["Access-Control-Allow-Origin"] = origin
                headers.add_vary_header("Origin")
            return send(message)

        await self.app(scope, receive, send_with_origin)

    def preflight_response(self, request_headers: Headers) -> Response:
        """204 for a listed origin, else 403 without any CORS header."""
        answer = super().preflight_response(request_headers)
        if answer.status_code != 200:
            refused = problem_response({"type": "http", "path": "/"}, CsrfFailed())
            refused.headers["Vary"] = "Origin"
            return refused
        del answer.headers["content-type"], answer.headers["content-length"]
        answer.status_code, answer.body = 204, b""
        return answer


class Faults:
    """Turn whatever an inner layer raises into a problem, unless the answer has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        def send_and_note(message: Message) -> Awaitable[None]:
            nonlocal has_begun
            has_begun = True
            return send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientGone:
            return
        except Exception as error:
            if has_begun:
                raise
            await problem_response(scope, error)(scope, receive, send)


class OriginGate:
    """The first layer against CSRF: unsafe methods only from our own pages or listed origins.

    Scripts send neither header and pass on to the second layer, the X-CSRF-Token
    (OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata" and "Verifying Origin").
    """

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        self.app = app
        self._origins = frozenset(origins)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            self._check(scope, Headers(scope=scope))
        return self.app(scope, receive, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
        if len(origins) > 1 or len(sites) > 1:
            raise CsrfFailed
        if origins and origins[0] in self._origins:
            return
        if origins and origins[0] != f"{scope['scheme']}://{headers.get('host', '')}":
            raise CsrfFailed
        if sites and sites[0] != "same-origin":
            raise CsrfFailed


class LoadGate:
    """Bound how long a request may take (seconds) and how many are served at once."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        deadline: float,
        most: int,
        traffic: Traffic,
        passing: re.Pattern[str],
    ) -> None:
        self.app = app
        self._traffic = traffic
        self._passing = passing
        self._deadline = deadline
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._passing.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        if self._traffic.requests >= self._most:
            raise Overloaded
        self._traffic.requests += 1
        try:
            async with asyncio.timeout(self._deadline) as deadline:
                await self.app(scope, receive, send)
        except TimeoutError as error:
            if deadline.expired():
                raise DeadlineExceeded from error
            raise
        finally:
            self._traffic.requests -= 1


class StreamGate:
    """Bound how many long answers are being opened, and how long a reader takes for a part.

    A long answer, a live stream or an export, may last longer than a request. A reader who takes
    no part within `patience` seconds counts as gone. How many of them are open is bounded by
    `StreamLimiter`, after authentication. Anonymous requests that it refuses await nothing until
    then, so a flood of them cannot use up `most`: it bounds members whose session is being
    checked, and reads before the first part.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        streams: re.Pattern[str],
        patience: float,
        most: int,
        traffic: Traffic,
    ) -> None:
        self.app = app
        self._traffic = traffic
        self._streams = streams
        self._patience = patience
        self._most = most

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or not self._streams.fullmatch(scope["path"]):
            return self.app(scope, receive, send)
        return self._bounded(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._traffic.opening >= self._most:
            raise Overloaded
        self._traffic.opening += 1
        is_opening = True

        def note_opened() -> None:
            nonlocal is_opening
            self._traffic.opening -= is_opening
            is_opening = False

        async def send_in_time(message: Message) -> None:
            note_opened()  # before sending: a slow reader of a refusal occupies nothing
            try:
                async with asyncio.timeout(self._patience):
                    await send(message)
            except TimeoutError:
                raise ClientGone from None

        try:
            await self.app(scope, receive, send_in_time)
        except ExceptionGroup as group:  # FastAPI sends events from a task group
            if group.split(ClientGone)[1] is not None:
                raise
            raise ClientGone from None
        finally:
            note_opened()
