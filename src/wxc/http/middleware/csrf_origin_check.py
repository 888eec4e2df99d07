from collections.abc import Awaitable, Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wxc.core.origins import normalise_origin
from wxc.http.refusals.access import CsrfFailed

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 section 9.2.1


class CsrfOriginCheck:
    """First layer of CSRF protection: unsafe methods only from our own pages or listed origins.

    It checks `Origin` and `Sec-Fetch-Site`. Clients other than browsers send neither and pass; the
    second layer, `X-CSRF-Token`, still applies to them (OWASP CSRF Prevention Cheat Sheet, "Fetch
    Metadata" and "Verifying Origin").
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
        origin = normalise_origin(origins[0]) if origins else None
        if origin in self._origins:
            return
        host = headers.get("host")
        own_origin = normalise_origin(f"{scope['scheme']}://{host}") if host else None
        if origin is not None and origin != own_origin:
            raise CsrfFailed
        if sites and sites[0] != "same-origin":
            raise CsrfFailed
