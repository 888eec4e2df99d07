from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from wxc.http.refusals.base import Refusal


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """The session cookies of a request; None for an absent cookie."""

    access: str | None
    refresh: str | None
    has_duplicates: bool
    """A name occurs twice. A sibling domain may have set either cookie, so neither is trusted."""

    def __bool__(self) -> bool:
        return self.access is not None or self.refresh is not None


class CookieJar:
    """Reads and sets cookies; the prefix `__Host-` prevents cookie tossing by sibling domains."""

    def __init__(self, *, is_secure: bool, lifetime: int, device_lifetime: int) -> None:
        prefix = "__Host-" if is_secure else ""
        self.access_name = f"{prefix}wxc_access"
        self.refresh_name = f"{prefix}wxc_refresh"
        self.device_name = f"{prefix}wxc_device"
        self._is_secure = is_secure
        self._lifetime = lifetime
        self._device_lifetime = device_lifetime

    def read(self, request: Request) -> SessionCookies:
        pairs = _pairs(request, self.access_name, self.refresh_name)
        cookies = dict(pairs)
        return SessionCookies(
            cookies.get(self.access_name), cookies.get(self.refresh_name), len(cookies) < len(pairs)
        )

    def read_device(self, request: Request) -> str | None:
        """The device cookie of a request; None if it is absent or occurs twice."""
        values = [value for _, value in _pairs(request, self.device_name)]
        return values[0] if len(values) == 1 else None

    def set(self, response: Response, access: str, refresh: str, device: str | None) -> None:
        """Set the session cookies, and the device cookie unless `device` is None.

        The access cookie lives as long as the refresh cookie. If it ended with its token, an
        expired token could not be distinguished from a missing one.
        """
        self._set(response, self.access_name, access, self._lifetime)
        self._set(response, self.refresh_name, refresh, self._lifetime)
        if device is not None:
            self._set(response, self.device_name, device, self._device_lifetime)

    @contextmanager
    def clear_on(self, *refusals: type[Refusal]) -> Iterator[None]:
        """Clear the session cookies in the response to any of these refusals."""
        try:
            yield
        except refusals as refusal:
            response = Response()
            self.clear(response)
            refusal.cookies = response.headers.getlist("set-cookie")
            raise

    def clear(self, response: Response) -> None:
        """Clear the session cookies; the device cookie stays."""
        for name in (self.access_name, self.refresh_name):
            response.delete_cookie(
                name, path="/", secure=self._is_secure, httponly=True, samesite="lax"
            )

    def _set(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )


def _pairs(request: Request, *names: str) -> list[tuple[str, str]]:
    """The non-empty cookies with these names, including duplicates."""
    return [
        (name, value)
        for header in request.headers.getlist("cookie")
        for name, _, value in (pair.strip().partition("=") for pair in header.split(";"))
        if value and name in names
    ]
