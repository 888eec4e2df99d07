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


def _header(
    description: str, example: str | int, *, is_required: bool = True, **schema: object
) -> dict[str, Any]:
    required = {"required": True} if is_required else {}
    schema = {"type": "string"} | schema
    return {"description": description, **required, "schema": schema, "example": example}


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": _header(
        "Identifies the request in the server's logs. Your own `X-Request-ID` is used if it "
        "consists of 8 to 64 letters, digits and hyphens.",
        "b4f1b1c2d3e4f5a6b7c8d9e0f1a2b3c4",
        pattern="^[A-Za-z0-9-]{8,64}$",
    ),
    "Retry-After": _header(
        "Seconds to wait before the next attempt.", 2, type="integer", minimum=1
    ),
    "RateLimit-Policy": _header(
        "The limits of this route; each allows `q` attempts within `w` seconds.",
        '"login-account-ip";q=5;w=300, "login-ip";q=30;w=300',
        is_required=False,
    ),
    "RateLimit": _header(
        "The state of each limit: `r` attempts remain; more become available in `t` seconds.",
        '"login-account-ip";r=4;t=298, "login-ip";r=29;t=298',
        is_required=False,
    ),
    "Idempotency-Replayed": _header(
        "`true` if this is the answer to an earlier request with the same `Idempotency-Key`.",
        "true",
        is_required=False,
        const="true",
    ),
    "Set-Cookie": _header(
        "Sets or deletes the session cookies; one header for each.",
        "__Host-wxc_access=…; HttpOnly; Secure; SameSite=lax; Path=/; Max-Age=1209600",
    ),
    "Location": _header(
        "The address of the new resource.",
        "/posts/0198c2a4-7c1e-7d3a-9f00-5c2e4a7b1d90",
        format="uri-reference",
    ),
    "ETag": _header(
        "The version of the resource and a hash of the body, for `If-Match` and `If-None-Match`.",
        '"3.Yw1xkZ2hVn9sQb4T"',
    ),
    "Cache-Control": _header(
        "`private, no-cache` with a session, else `no-cache`: the answer may be stored, but must "
        "be revalidated with `If-None-Match`.",
        "private, no-cache",
    ),
    "Vary": _header("`Cookie, Origin`.", "Cookie, Origin"),
    "Content-Disposition": _header(
        "Makes a browser save the answer as a file.", 'attachment; filename="wxc-social.json"'
    ),
}
"""The documentation of every response header; required ones are always sent."""


def headers(*names: str) -> dict[str, Any]:
    """The `headers` of a response, as references."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


EVENT_MODELS: set[type[Any]] = set()
"""Models of event data; the document gets a schema of each."""
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
    return [name for call in _calls(dependant) for name in _sends.get(call, ())]


def raised_by(dependant: Dependant) -> list[type[Refusal]]:
    return [refusal for call in _calls(dependant) for refusal in _raises.get(call, ())]


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for inner in dependant.dependencies:
        if inner.call is not None:
            yield inner.call
        yield from _calls(inner)
