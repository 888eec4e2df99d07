"""Renders exceptions as `application/problem+json` (RFC 9457)."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import asyncpg
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import InternalError as DriverInternalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from wxc.core import logging as logs
from wxc.http.problem_schemas import FieldError, Problem, ValidationProblem
from wxc.http.refusals.base import Refusal
from wxc.http.refusals.requests import JsonMalformed, MalformedRequest, ValidationFailed
from wxc.http.refusals.resources import MethodNotAllowed, NotFound
from wxc.http.refusals.server import InternalError, Unavailable
from wxc.http.refusals.sqlstates import refusal_for_sqlstate

_log = logging.getLogger("wxc.problems")
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_-]{0,36}", re.ASCII)  # an id or a name, not a token
MAX_FIELD_ERRORS = 20  # in one response, whatever the number in the request
_HTTP_REFUSALS: Mapping[int, type[Refusal]] = {
    400: MalformedRequest,
    404: NotFound,
    405: MethodNotAllowed,
}


def problem_response(scope: Scope, error: Exception) -> Response:
    """The response for `error`; details that clients must not see go to the log."""
    refusal = refusal_for(error)
    errors = error.errors if isinstance(error, Refusal) else None
    if isinstance(error, RequestValidationError):
        errors = field_errors(error.errors())
    elif refusal.status == ValidationFailed.status:
        errors = errors or []
    if refusal.status == 500:
        _log.error("%s: %r", refusal.code(), error, exc_info=error)
    elif refusal.status > 500:  # an outage: a traceback would be noise
        _log.warning("%s: %r", refusal.code(), error)
    headers = dict(getattr(error, "headers", None) or {})
    retry_after = (error if isinstance(error, Refusal) else refusal).retry_after
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if refusal.status in (408, 413):
        headers["Connection"] = "close"  # do not wait for the rest of the body
    response = Response(
        problem_body(
            refusal,
            instance=_instance(scope, refusal),
            request_id=logs.request_id.get(),
            errors=errors,
            retry_after=retry_after,
        ),
        refusal.status,
        headers,
        media_type="application/problem+json",
    )
    for cookie in error.cookies if isinstance(error, Refusal) else ():
        response.headers.append("Set-Cookie", cookie)
    return response


def refusal_for(error: Exception) -> type[Refusal]:
    """The refusal for an exception; `InternalError` if nothing else applies."""
    match error:
        case Refusal():
            return type(error)
        case RequestValidationError():
            return JsonMalformed if _is_json_invalid(error) else ValidationFailed
        case HTTPException():
            return _HTTP_REFUSALS.get(error.status_code, InternalError)
        case DriverInternalError() if getattr(error.orig, "sqlstate", None) is None:
            return Unavailable  # the server closed the connection while the driver was using it
        case DBAPIError() if not error.connection_invalidated:
            return refusal_for_sqlstate(getattr(error.orig, "sqlstate", None))
        case asyncpg.PostgresError():
            return refusal_for_sqlstate(error.sqlstate)
        case DBAPIError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return Unavailable
        case PoolTimeout() | OSError():
            return Unavailable
    return InternalError


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """The first errors of a failed validation, without the input values."""
    return [
        FieldError(
            pointer=pointer_to(error["loc"]),
            code=error["type"],
            # A message with an `error` in its context quotes the input; others quote our limits.
            message="This value is not valid." if "error" in error.get("ctx", {}) else error["msg"],
        )
        for error in errors[:MAX_FIELD_ERRORS]
    ]


def _is_json_invalid(error: RequestValidationError) -> bool:
    return any(part["type"] == "json_invalid" for part in error.errors())


def pointer_to(location: Sequence[str | int]) -> str:
    """The pointer of a value: a JSON pointer into the body, else as in `query.limit`."""
    source, *path = [_printable(part) for part in location]
    if source != "body":
        return ".".join([source, *path])
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def _printable(part: str | int) -> str:
    """A name sent by the client, cut to 64 characters, with `?` for control characters and such."""
    return "".join(c if c.isprintable() else "?" for c in str(part)[:64])


def _instance(scope: Scope, refusal: type[Refusal]) -> str:
    """The request's path, without invalid values or tokens."""
    route = scope.get("route")
    if refusal.status in (400, ValidationFailed.status) and route is not None:
        return quote(re.sub(r"\{(\w+)\}", r":\1", route.path), safe="/:")
    segments = scope["path"].split("/")
    return "/".join(part if _PLAIN_SEGMENT.fullmatch(part) else "-" for part in segments[:12])


def problem_body(
    refusal: type[Refusal],
    *,
    instance: str,
    request_id: str,
    errors: list[FieldError] | None,
    retry_after: int | None = None,
) -> bytes:
    """The JSON of a refusal, with the member `errors` unless it is None."""
    code = refusal.code()
    fields: dict[str, Any] = {
        "type": f"/docs/errors/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": refusal.status,
        "detail": refusal.detail(retry_after),
        "instance": instance,
        "code": code,
        "request_id": request_id,
    }
    problem = Problem(**fields) if errors is None else ValidationProblem(**fields, errors=errors)
    return problem.model_dump_json().encode()
