"""The edge of the application, as pure ASGI: what holds for every request and every answer.

From the outside in: `Envelope` (request id, headers, log line), CORS, `Faults` (any exception
becomes a problem), `OriginGate` (CSRF, first layer), `BodyGate` (JSON or nothing), `LoadGate`
(deadline, requests in flight). `BaseHTTPMiddleware` is banned: it leaks database connections
when a request is cancelled.
"""

import asyncio
import logging
import re
import time
from collections.abc import Collection
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.core import logging as logs
from wxc.core.bodies import ClientGone
from wxc.core.errors import (
    CsrfFailed,
    DeadlineExceeded,
    Overloaded,
)
from wxc.core.problems import problem_response

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 section 9.2.1

_log = logging.getLogger("wxc.access")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}", re.ASCII)

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-site",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Envelope:
    """Give every request an id and a log line, and every answer its security headers.

    What inner layers put into the scope's `answer_headers` goes with the answer whatever becomes
    of the request, a refusal included. HEAD is served as GET; the server leaves the body out.
    """

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self.app = app
        self._headers = dict(_SECURITY_HEADERS)
        if is_secure:
            self._headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid4().hex
        token = logs.request_id.set(request_id)
        inner: Scope = {**scope, "answer_headers": {}}
        if scope["method"] == "HEAD":
            inner["method"] = "GET"
        status = 0

        async def send_in_envelope(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(inner["answer_headers"])
                self._seal(status, headers, request_id)
            elif scope["method"] == "HEAD" and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(inner, receive, send_in_envelope)
        finally:
            _log_request(scope, inner, status, time.perf_counter() - started)
            logs.request_id.reset(token)

    def _seal(self, status: int, headers: MutableHeaders, request_id: str) -> None:
        if status == 204:
            del headers["content-type"]  # of nothing
        headers["X-Request-ID"] = request_id
        headers.setdefault("Cache-Control", "no-store")
        for name, value in self._headers.items():
            headers.setdefault(name, value)


def _log_request(scope: Scope, inner: Scope, status: int, seconds: float) -> None:
    """One line with the route's template: a path may carry a token, a query somebody's search."""
    fields = {
        "method": scope["method"],
        "route": getattr(inner.get("route"), "path", "(no route)"),
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
    }
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

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            self._check(scope, Headers(scope=scope))
        await self.app(scope, receive, send)

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
        self, app: ASGIApp, *, deadline: float, most: int, probes: Collection[str] = ()
    ) -> None:
        self.app = app
        self._probes = frozenset(probes)
        self._deadline = deadline
        self._most = most
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The load balancer replaces what its probes find busy, which would help nobody.
        if scope["type"] != "http" or scope["path"] in self._probes:
            await self.app(scope, receive, send)
            return
        if self._in_flight >= self._most:
            raise Overloaded
        self._in_flight += 1
        try:
            async with asyncio.timeout(self._deadline) as deadline:
                await self.app(scope, receive, send)
        except TimeoutError as error:
            if deadline.expired():
                raise DeadlineExceeded from error
            raise
        finally:
            self._in_flight -= 1
