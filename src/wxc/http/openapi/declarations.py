"""What dependencies declare about requests and responses.

The declarations of the dependencies in its tree apply to a route: it does not repeat them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi.dependencies.models import Dependant

from wxc.http.refusals.base import Refusal

T = TypeVar("T")
Dependency = TypeVar("Dependency", bound=Callable[..., Any])
ANONYMOUS = ""
"""One of the alternatives of `needs`: a request without any credentials."""


@dataclass(frozen=True, slots=True)
class Need:
    """One of these security schemes, with the CSRF token if `is_guarded`."""

    schemes: tuple[str, ...]
    is_guarded: bool

    @property
    def is_optional(self) -> bool:
        """Whether a request without credentials is served."""
        return ANONYMOUS in self.schemes


_needs: dict[Callable[..., Any], Need] = {}
_sends: dict[Callable[..., Any], tuple[str, ...]] = {}
_raises: dict[Callable[..., Any], tuple[type[Refusal], ...]] = {}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Names the request in our logs: yours if it was 8 to 64 letters, digits and "
        "hyphens, else a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9-]{8,64}$"},
        "example": "b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
    },
    "Retry-After": {
        "description": "In how many seconds it is worth trying again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
    "RateLimit-Policy": {
        "description": "The limits of this route: `q` uses within `w` seconds each.",
        "schema": {"type": "string"},
        "example": '"login-account-ip";q=5;w=300, "login-ip";q=30;w=300',
    },
    "RateLimit": {
        "description": "How they stand: `r` uses are left, and in `t` seconds there are more.",
        "schema": {"type": "string"},
        "example": '"login-account-ip";r=4;t=298, "login-ip";r=29;t=298',
    },
    "Idempotency-Replayed": {
        "description": "`true` where the request with this `Idempotency-Key` was answered before, "
        "and this is that answer.",
        "schema": {"type": "string", "const": "true"},
        "example": "true",
    },
    "Set-Cookie": {
        "description": "The cookies of the session, or their end; one header for each.",
        "required": True,
        "schema": {"type": "string"},
        "example": "__Host-wxc_access=…; HttpOnly; Secure; SameSite=lax; Path=/; Max-Age=1209600",
    },
    "Location": {
        "description": "The address of what was made.",
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
        "description": "`private, no-cache` when you are signed in, else `no-cache`: it may be "
        "kept, and is asked for again with `If-None-Match`.",
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
        "description": "Has a browser save the answer as a file.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'attachment; filename="wxc-social.json"',
    },
}
"""The documentation of every response header; required ones are always sent."""


def headers(*names: str) -> dict[str, Any]:
    """The `headers` of a response."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


EVENT_MODELS: set[type[Any]] = set()
"""The models of the data of events."""
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
    return {200: {"description": "Events, until one side hangs up.", "content": content}}


def needs(*schemes: str, is_guarded: bool = True) -> Callable[[Dependency], Dependency]:
    """Declare the security schemes of a dependency: any one of them is enough.

    `is_guarded`: unsafe methods also require the CSRF token.
    """
    return _declare(_needs, Need(schemes, is_guarded))


def sends(*names: str) -> Callable[[Dependency], Dependency]:
    """Declare the response headers that a dependency, or the code that uses it, sends."""
    return _declare(_sends, names)


def raises(*refusals: type[Refusal]) -> Callable[[Dependency], Dependency]:
    """Declare the refusals that a dependency, or the service it is for, raises on any route.

    A route documents only the additional ones of its own service.
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
