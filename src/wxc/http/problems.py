"""How every exception becomes an `application/problem+json` answer."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import asyncpg
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import InternalError as OutOfStep
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from wxc.core import logging as logs
from wxc.http.refusals import (
    InternalError,
    InvalidPart,
    JsonMalformed,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Refusal,
    Unavailable,
    ValidationFailed,
    problem_body,
    refusal_for_sqlstate,
)

_log = logging.getLogger("wxc.problems")
_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_-]{0,36}", re.ASCII)  # an id or a name, not a token
_MOST_PARTS = 20  # of one request: the answer is no larger than the mistake
_HTTP_REFUSALS: Mapping[int, type[Refusal]] = {
    400: MalformedRequest,
    404: NotFound,
    405: MethodNotAllowed,
}


def problem_response(scope: Scope, error: Exception) -> Response:
    """The problem that `error` means to the client; what only we may know goes to the log."""
    refusal = refusal_for(error)
    errors = error.errors if isinstance(error, Refusal) else None
    if isinstance(error, RequestValidationError):
        errors = invalid_parts(error.errors())
    elif refusal.status == ValidationFailed.status:
        errors = errors or []
    if refusal.status == 500:
        _log.error("%s: %r", refusal.code(), error, exc_info=error)
    elif refusal.status > 500:  # an outage: its line is enough, its traceback would be noise
        _log.warning("%s: %r", refusal.code(), error)
    headers = dict(getattr(error, "headers", None) or {})
    retry_after = (error if isinstance(error, Refusal) else refusal).retry_after
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if refusal.status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not waited for
    answer = Response(
        problem_body(
            refusal,
            instance=_instance(scope, refusal),
            request_id=logs.request_id.get(),
            errors=errors,
        ),
        refusal.status,
        headers,
        media_type="application/problem+json",
    )
    for cookie in error.cookies if isinstance(error, Refusal) else ():
        answer.headers.append("Set-Cookie", cookie)
    return answer


def refusal_for(error: Exception) -> type[Refusal]:
    """Which refusal an exception amounts to; `InternalError` when nobody foresaw it."""
    match error:
        case Refusal():
            return type(error)
        case RequestValidationError():
            return JsonMalformed if _is_unparsed(error) else ValidationFailed
        case HTTPException():
            return _HTTP_REFUSALS.get(error.status_code, InternalError)
        case OutOfStep() if getattr(error.orig, "sqlstate", None) is None:
            return Unavailable  # the server's farewell has crossed what the driver was about to do
        case DBAPIError() if not error.connection_invalidated:
            return refusal_for_sqlstate(getattr(error.orig, "sqlstate", None))
        case asyncpg.PostgresError():
            return refusal_for_sqlstate(error.sqlstate)
        case DBAPIError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return Unavailable
        case PoolTimeout() | OSError():
            return Unavailable
    return InternalError


def invalid_parts(errors: Sequence[Any]) -> list[InvalidPart]:
    """What a validation error says, without the values it was about; the first of many."""
    return [
        InvalidPart(
            pointer=_pointer(error["loc"]),
            code=error["type"],
            # pydantic's `error` context quotes the input; its other contexts are our own bounds.
            message="The value does not have the right form."
            if "error" in error.get("ctx", {})
            else error["msg"],
        )
        for error in errors[:_MOST_PARTS]
    ]


def _is_unparsed(error: RequestValidationError) -> bool:
    return any(part["type"] == "json_invalid" for part in error.errors())


def _pointer(location: Sequence[str | int]) -> str:
    place, *path = [_readable(part) for part in location]
    if place != "body":
        return ".".join([place, *path])
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def _readable(part: str | int) -> str:
    """A name that is at most 64 characters of valid UTF-8, whatever the client called its key."""
    return str(part)[:64].encode(errors="backslashreplace").decode()


def _instance(scope: Scope, refusal: type[Refusal]) -> str:
    """The request's path; what a client wrote into it is not repeated where it was at fault."""
    route = scope.get("route")
    if refusal.status in (400, ValidationFailed.status) and route is not None:
        return quote(re.sub(r"\{(\w+)\}", r":\1", route.path), safe="/:")
    segments = scope["path"].split("/")
    return "/".join(part if _PLAIN_SEGMENT.fullmatch(part) else "-" for part in segments[:12])
