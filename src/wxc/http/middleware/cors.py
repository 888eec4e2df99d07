from collections.abc import Awaitable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.core.origins import normalise_origin
from wxc.http.problems import problem_response
from wxc.http.refusals.access import CsrfFailed


class Cors(CORSMiddleware):
    """Starlette's CORS middleware, but a preflight is refused with a problem, not plain text."""

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

    def is_allowed_origin(self, origin: str) -> bool:
        return super().is_allowed_origin(normalise_origin(origin))

    async def simple_response(
        self, scope: Scope, receive: Receive, send: Send, request_headers: Headers
    ) -> None:
        """Send Starlette's headers to a listed origin, and only `Vary` to any other."""
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
        """204 for a listed origin, else 403 without CORS headers."""
        response = super().preflight_response(request_headers)
        if response.status_code != 200:
            refusal = problem_response({"type": "http", "path": "/"}, CsrfFailed())
            refusal.headers["Vary"] = "Origin"
            return refusal
        del response.headers["content-type"], response.headers["content-length"]
        response.status_code, response.body = 204, b""
        return response
