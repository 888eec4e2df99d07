"""The cookies of a session: how they are named, read, set and cleared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from wxc.core.errors import Refusal


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """The session cookies of one request; None where one is absent."""

    access: str | None
    refresh: str | None
    is_doubled: bool
    """A name appears twice: somebody else has set one of them, and nobody can tell which."""

    def __bool__(self) -> bool:
        return self.access is not None or self.refresh is not None


class CookieJar:
    """Names and attributes; `__Host-` keeps sibling domains from tossing cookies of their own."""

    def __init__(self, *, is_secure: bool, lifetime: int) -> None:
        prefix = "__Host-" if is_secure else ""
        self.access_name = f"{prefix}wxc_access"
        self.refresh_name = f"{prefix}wxc_refresh"
        self._is_secure = is_secure
        self._lifetime = lifetime

    def read(self, request: Request) -> SessionCookies:
        """The session cookies of a request."""
        pairs = [
            (name, value)
            for header in request.headers.getlist("cookie")
            for name, _, value in (pair.strip().partition("=") for pair in header.split(";"))
            if value and name in (self.access_name, self.refresh_name)
        ]
        found = dict(pairs)
        return SessionCookies(
            found.get(self.access_name), found.get(self.refresh_name), len(found) < len(pairs)
        )

    def set(self, response: Response, *, access: str, refresh: str) -> None:
        """Set both; both live as long as the refresh token, so an expired access token is seen."""
        for name, value in ((self.access_name, access), (self.refresh_name, refresh)):
            response.set_cookie(
                name,
                value,
                max_age=self._lifetime,
                path="/",
                secure=self._is_secure,
                httponly=True,
                samesite="lax",
            )

    @contextmanager
    def cleared_by(self, *refusals: type[Refusal]) -> Iterator[None]:
        """Have both cleared by the answer to any of these refusals."""
        try:
            yield
        except refusals as refusal:
            response = Response()
            self.clear(response)
            refusal.cookies = response.headers.getlist("set-cookie")
            raise

    def clear(self, response: Response) -> None:
        """Clear both, with the attributes that they were set with."""
        for name in (self.access_name, self.refresh_name):
            response.delete_cookie(
                name, path="/", secure=self._is_secure, httponly=True, samesite="lax"
            )
