"""Declarations of dependencies and routers for the OpenAPI document.

What a dependency declares applies to every route that uses it, so routes do not repeat it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi.dependencies.models import Dependant

from wxc.http.refusals.base import Refusal

T = TypeVar("T")
Dependency = TypeVar("Dependency", bound=Callable[..., Any])
ANONYMOUS = ""
"""An alternative for `needs`: no credentials."""


@dataclass(frozen=True, slots=True)
class Need:
    """Any one of the security schemes is required, and the CSRF token if `is_guarded`."""

    schemes: tuple[str, ...]
    is_guarded: bool

    @property
    def is_optional(self) -> bool:
        return ANONYMOUS in self.schemes


_needs: dict[Callable[..., Any], Need] = {}
_sends: dict[Callable[..., Any], tuple[str, ...]] = {}
_raises: dict[Callable[..., Any], tuple[type[Refusal], ...]] = {}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Identifies the request in the server's logs. Your own `X-Request-ID` is "
        "used if it consists of 8 to 64 letters, digits and hyphens.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{8,64}$"},
        "example": "b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
    },
    "Retry-After": {
        "description": "Seconds to wait before the next attempt.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
    "RateLimit-Policy": {
        "description": "The limits of this route: a quota of `q` within `w` seconds each.",
        "schema": {"type": "string"},
        "example": '"login-account-ip";q=5;w=300, "login-ip";q=30;w=300',
    },
    "RateLimit": {
        "description": "The state of each limit: `r` remain; more become available in `t` seconds.",
        "schema": {"type": "string"},
        "example": '"login-account-ip";r=4;t=298, "login-ip";r=29;t=298',
    },
    "Idempotency-Replayed": {
        "description": "`true` if this is the stored answer to an earlier request with the same "
        "`Idempotency-Key`.",
        "schema": {"type": "string", "const": "true"},
        "example": "true",
    },
    "Set-Cookie": {
        "description": "Sets or deletes the session cookies; one header for each.",
        "required": True,
        "schema": {"type": "string"},
        "example": "__Host-wxc_access=…; HttpOnly; Secure; SameSite=lax; Path=/; Max-Age=1209600",
    },
    "Location": {
        "description": "The address of the new resource.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
        "example": "/posts/0198c2a4-7c1e-7d3a-9f00-5c2e4a7b1d90",
    },
    "ETag": {
        "description": "Version and hash of the body, for `If-Match` and `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
        "example": '"3.Yw1xkZ2hVn9sQb4T"',
    },
    "Cache-Control": {
        "description": "`private, no-cache` with a session, else `no-cache`: the answer may be "
        "stored, but must be revalidated with `If-None-Match`.",
        "required": True,
        "schema": {"type": "string"},
        "example": "private, no-cache",
    },
    "Vary": {
        "description": "`Cookie, Origin`.",
        "required": True,
        "schema": {"type": "string"},
        "example": "Cookie, Origin",
    },
    "Content-Disposition": {
        "description": "Makes a browser save the answer as a file.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'attachment; filename="wxc-social.json"',
    },
}
"""The documentation of every response header; required ones are always sent."""


def headers(*names: str) -> dict[str, Any]:
    """The `headers` of a response, as references."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


EVENT_MODELS: set[type[Any]] = set()
"""Models of the `data` of events."""
WITH_LOCATION: dict[int | str, dict[str, Any]] = {201: {"headers": headers("Location")}}
"""The `responses` of a route that sends the address of a new resource."""


def response_example(**fields: object) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route whose example differs from that of its model."""
    return {200: {"content": {"application/json": {"example": fields}}}}


def event_stream(**events: type[Any] | None) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a stream: the model of each event's data; None for an empty object."""
    EVENT_MODELS.update(model for model in events.values() if model is not None)
    items = [
        {
            "type": "object",
            "properties": {
                "event": {"const": name},
                "id": {"type": "string"},
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"$ref": f"#/components/schemas/{model.__name__}"}
                    if model
                    else {"type": "object", "maxProperties": 0},
                },
            },
            "required": ["event", "data"],
        }
        for name, model in events.items()
    ]
    content = {"text/event-stream": {"itemSchema": {"oneOf": items}}}
    return {
        200: {"description": "Events, until either side closes the stream.", "content": content}
    }


def needs(*schemes: str, is_guarded: bool = True) -> Callable[[Dependency], Dependency]:
    """Declare the security schemes of a dependency, any one of which is enough.

    `is_guarded`: unsafe methods also require the CSRF token.
    """
    return _declare(_needs, Need(schemes, is_guarded))


def sends(*names: str) -> Callable[[Dependency], Dependency]:
    """Declare the response headers that a dependency, or the code that uses it, sends."""
    return _declare(_sends, names)


def raises(*refusals: type[Refusal]) -> Callable[[Dependency], Dependency]:
    """Declare the refusals that a dependency, or the code that uses it, raises on any route.

    A route declares only additional ones.
    """
    return _declare(_raises, refusals)


def _declare(
    declarations: dict[Callable[..., Any], T], declaration: T
) -> Callable[[Dependency], Dependency]:
    def declare(dependency: Dependency) -> Dependency:
        declarations[dependency] = declaration
        return dependency

    return declare


def need_of(dependant: Dependant) -> Need | None:
    """The strictest need of a route: the one with the fewest alternatives."""
    needs_found = [_needs[call] for call in _calls(dependant) if call in _needs]
    return min(needs_found, key=lambda need: len(need.schemes), default=None)


def sent_by(dependant: Dependant) -> list[str]:
    """The headers that a route's dependencies send."""
    return [name for call in _calls(dependant) for name in _sends.get(call, ())]


def raised_by(dependant: Dependant) -> list[type[Refusal]]:
    """The refusals that a route's dependencies raise."""
    return [refusal for call in _calls(dependant) for refusal in _raises.get(call, ())]


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for inner in dependant.dependencies:
        if inner.call is not None:
            yield inner.call
        yield from _calls(inner)
