"""Refusals: the facts that keep a request from being granted, and how a client reads them.

Refusal
 ├─ the classes below, raised by the edge of the application
 └─ a feature's own, in its `errors.py`

A refusal's docstring is the sentence that the client reads; what the log needs goes into the
exception's arguments and never leaves the process. The form is RFC 9457.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Refusal(Exception):  # noqa: N818 - a refusal is a fact, not an error
    """The request cannot be granted."""

    status: ClassVar[int] = 400
    retry_after: int | None = None  # seconds; where it varies, each instance has its own

    def __init__(
        self,
        reason: str = "",
        *,
        errors: "list[InvalidPart] | None" = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.errors = errors
        if retry_after is not None:
            self.retry_after = retry_after
        self.cookies: list[str] = []
        """`Set-Cookie` values that go along with the refusal."""

    @classmethod
    def code(cls) -> str:
        """The stable snake_case name that clients compare with."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def sentence(cls) -> str:
        """What the client reads."""
        return " ".join((cls.__doc__ or "").split())


class Unauthenticated(Refusal):
    """A session is needed."""

    status = 401


class Conflict(Refusal):
    """The request conflicts with what is there."""

    status = 409


class MalformedRequest(Refusal):
    """The request could not be read."""


class JsonMalformed(Refusal):
    """The body is not valid JSON in UTF-8."""


class JsonTooDeep(Refusal):
    """The body is nested too deeply."""


class DuplicateKey(Refusal):
    """An object in the body names the same key twice."""


class InvalidCursor(Refusal):
    """The cursor does not belong to this list."""


class CsrfFailed(Refusal):
    """The request does not come from a page that may act for you, or lacks its X-CSRF-Token."""

    status = 403


class NotOwner(Refusal):
    """This belongs to somebody else."""

    status = 403


class NotFound(Refusal):
    """There is nothing here."""

    status = 404


class MethodNotAllowed(Refusal):
    """This address does not answer to that method."""

    status = 405


class RequestTimeout(Refusal):
    """The body took too long to arrive."""

    status = 408


class PreconditionFailed(Refusal):
    """This has changed since you read it. Please read it again."""

    status = 412


class BodyTooLarge(Refusal):
    """The body is too large."""

    status = 413


class UriTooLong(Refusal):
    """The address is too long."""

    status = 414


class UnsupportedMediaType(Refusal):
    """The body must be uncompressed JSON, sent as application/json in UTF-8."""

    status = 415


class RateLimited(Refusal):
    """This was tried too often. Please wait a while; `Retry-After` says how long."""

    status = 429
    retry_after = 60


class TooManyStreams(Refusal):
    """You have as many live streams as you may. Please close one of them."""

    status = 429
    retry_after = 15


class HeadersTooLarge(Refusal):
    """The headers of the request are too large."""

    status = 431


class ValidationFailed(Refusal):
    """Something in the request does not have the right form; `errors` says what."""

    status = 422


class UnknownParameter(Refusal):
    """The query holds a parameter that this address does not know, or one of them twice."""

    status = 422


class InternalError(Refusal):
    """Something went wrong on our side. It has been logged with the request's id."""

    status = 500


class Unavailable(Refusal):
    """The service cannot answer right now. Please try again in a moment."""

    status = 503
    retry_after = 2


class Retry(Refusal):
    """The request met another one at the same moment. Please send it again."""

    status = 503
    retry_after = 1


class Overloaded(Refusal):
    """Too many requests are under way. Please try again in a moment."""

    status = 503
    retry_after = 1


class DeadlineExceeded(Refusal):
    """The request took too long and was given up."""

    status = 503
    retry_after = 2


class InvalidPart(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    pointer: str
    """A JSON pointer into the body, or a place such as `query.limit`."""
    code: str
    message: str


class Problem(BaseModel):
    """An error, as RFC 9457 (Problem Details for HTTP APIs) puts it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """The address of the page that explains the `code`."""
    title: str
    status: int
    detail: str
    instance: str
    code: str
    """What a program compares with; it does not change."""
    request_id: str


class ValidationProblem(Problem):
    """An error that names each invalid part of the request."""

    errors: list[InvalidPart]


def all_refusals(base: type[Refusal] = Refusal) -> dict[str, type[Refusal]]:
    """Every refusal that can be answered, by its code."""
    found = {}
    for refusal in base.__subclasses__():
        found[refusal.code()] = refusal
        found |= all_refusals(refusal)
    return found


# SQLSTATE classes that say: the database, not the request, is the trouble.
_UNAVAILABLE_STATES = ("08", "28", "3D000", "57014", "57P0", "53", "25006", "55P03", "25P03")
_RETRY_STATES = ("40001", "40P01")
_CONFLICT_STATES = ("23505", "23503", "23514", "23P01")
_INVALID_STATES = ("22021", "22P02", "22003")


def refusal_for_sqlstate(sqlstate: str | None) -> type[Refusal]:
    """What a database error that no service foresaw means to the client."""
    table: Mapping[tuple[str, ...], type[Refusal]] = {
        _UNAVAILABLE_STATES: Unavailable,
        _RETRY_STATES: Retry,
        _CONFLICT_STATES: Conflict,
        _INVALID_STATES: ValidationFailed,
    }
    for states, refusal in table.items():
        if sqlstate and sqlstate.startswith(states):
            return refusal
    return InternalError


def problem_body(
    refusal: type[Refusal], *, instance: str, request_id: str, errors: list[InvalidPart] | None
) -> bytes:
    """The JSON of a refusal; `errors` only where parts of the request are at fault."""
    code = refusal.code()
    fields: dict[str, Any] = {
        "type": f"/docs/errors/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": refusal.status,
        "detail": refusal.sentence(),
        "instance": instance,
        "code": code,
        "request_id": request_id,
    }
    problem = Problem(**fields) if errors is None else ValidationProblem(**fields, errors=errors)
    return problem.model_dump_json().encode()
