"""Refusals: the facts that keep a request from being granted, and how a client reads them.

Refusal
 ├─ the classes below, raised by the edge of the application
 └─ a feature's own, in its `errors.py`

The first paragraph of a refusal's docstring is the sentence that the client reads, what follows is
what to do about it: the page of the code says both. What the log needs goes into the exception's
arguments and never leaves the process. The form is RFC 9457.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict

from wxc.http.schemas import Schema


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
        return " ".join(_paragraphs(cls)[0].split())

    @classmethod
    def advice(cls) -> str:
        """What to do about it; where a class is silent, what its base says."""
        said = (_paragraphs(base)[1] for base in cls.__mro__ if issubclass(base, Refusal))
        return " ".join(next(filter(None, said), "").split())


def _paragraphs(refusal: type[Refusal]) -> tuple[str, str]:
    """The first paragraph of the docstring, and the rest."""
    first, _, rest = (refusal.__doc__ or "").partition("\n\n")
    return first, rest


class Unauthenticated(Refusal):
    """A session is needed.

    Log in with `POST /login`, and send its cookies along: `credentials: "include"` with fetch,
    a cookie jar elsewhere.
    """

    status = 401


class Conflict(Refusal):
    """The request conflicts with what is there.

    Read what is there, and decide whether to send the request again.
    """

    status = 409


class MalformedRequest(Refusal):
    """The request could not be read.

    The address or the headers of the request are broken below the level of this API. No
    ordinary client sends such a request; look at what builds it.
    """


class JsonMalformed(Refusal):
    """The body is not valid JSON in UTF-8.

    Send one JSON value (RFC 8259) in UTF-8: no trailing comma, no `NaN`, no byte order mark.
    """


class JsonTooDeep(Refusal):
    """The body is nested too deeply.

    No body of this API needs more than a few levels; 32 are read.
    """


class DuplicateKey(Refusal):
    """An object in the body names the same key twice.

    Name each key once. Parsers disagree about which of two values holds, so none is chosen.
    """


class InvalidCursor(Refusal):
    """The cursor does not belong to this list.

    Use `next_cursor` and `prev_cursor` exactly as they came, with the same address, filters
    and member. Or begin anew, without a cursor.
    """


class CsrfFailed(Refusal):
    """The request does not come from a page that may act for you, or lacks its X-CSRF-Token.

    Send the `csrf_token` of `POST /login`, `GET /auth-check` or `GET /csrf-token` as
    `X-CSRF-Token`. A page on another origin needs that origin to be in `CORS_ORIGINS`.
    """

    status = 403


class NotOwner(Refusal):
    """This belongs to somebody else.

    Only whoever made it may change or delete it. Do not offer the action to others.
    """

    status = 403


class NotFound(Refusal):
    """There is nothing here.

    It was deleted, or never there, or whoever it belongs to is not visible to you; the answer
    does not tell which. Take it out of what you show.
    """

    status = 404


class MethodNotAllowed(Refusal):
    """This address does not answer to that method.

    The `Allow` header names the methods that it answers to.
    """

    status = 405


class RequestTimeout(Refusal):
    """The body took too long to arrive.

    Send the body in one go. On a slow line, send less of it.
    """

    status = 408


class PreconditionFailed(Refusal):
    """This has changed since you read it. Please read it again.

    Read it again, show the changes to whoever edits, and send the result with the new `ETag`
    in `If-Match`.
    """

    status = 412


class BodyTooLarge(Refusal):
    """The body is too large.

    256 KiB are read, 8 KiB where accounts and passwords are concerned. No text that this API
    accepts needs as much.
    """

    status = 413


class UriTooLong(Refusal):
    """The address is too long.

    2 KiB of path and 8 KiB of query are read.
    """

    status = 414


class UnsupportedMediaType(Refusal):
    """The body must be uncompressed JSON, sent as application/json in UTF-8.

    Send the body as `Content-Type: application/json`, without a `Content-Encoding`.
    """

    status = 415


class RateLimited(Refusal):
    """This was tried too often. Please wait a while; `Retry-After` says how long.

    Wait for the seconds in `Retry-After`. `RateLimit-Policy` and `RateLimit` say beforehand
    what is allowed and what is left of it.
    """

    status = 429
    retry_after = 60


class TooManyStreams(Refusal):
    """Too many live updates or downloads are open. Please close one and try again.

    Close the stream of a tab that nobody sees, or share one stream between tabs. Without a
    session, everybody behind the same address is counted together; a session has a limit of
    its own.
    """

    status = 429
    retry_after = 15


class HeadersTooLarge(Refusal):
    """The headers of the request are too large.

    16 KiB and 256 headers are read. Usually cookies of other pages of the site are too many.
    """

    status = 431


class ValidationFailed(Refusal):
    """Something in the request does not have the right form; `errors` says what.

    Each of `errors` has a `pointer` to the place (a JSON pointer into the body, or
    `query.limit`), a `code` for programs and a `message` for people. Mend them all at once.
    """

    status = 422


class UnknownParameter(Refusal):
    """The query holds a parameter that this address does not know, or one of them twice.

    Compare the query with the parameters of the route. A name that is spelled wrongly would
    otherwise be ignored, and the answer would be to another question.
    """

    status = 422


class InternalError(Refusal):
    """Something went wrong on our side. It has been logged with the request's id.

    Sending it again will hardly help. Tell the operators the `request_id`: it leads to what
    went wrong.
    """

    status = 500


class Unavailable(Refusal):
    """The service cannot answer right now. Please try again in a moment.

    Wait for the seconds in `Retry-After`, and send the request again; longer each time. A
    request that writes is safe to repeat with the same `Idempotency-Key`.
    """

    status = 503
    retry_after = 2


class Retry(Refusal):
    """The request met another one at the same moment. Please send it again.

    Nothing of the request was done. Send it again after the second in `Retry-After`.
    """

    status = 503
    retry_after = 1


class Overloaded(Refusal):
    """Too many requests are under way. Please try again in a moment.

    Nothing of the request was done. Wait for the seconds in `Retry-After`; longer each time.
    """

    status = 503
    retry_after = 1


class DeadlineExceeded(Refusal):
    """The request took too long and was given up.

    Wait for the seconds in `Retry-After`, then send it again; ask for less, if it was a list.
    """

    status = 503
    retry_after = 2


class InvalidPart(Schema):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid")

    pointer: str
    """A JSON pointer into the body, or a place such as `query.limit`."""
    code: str
    """What is wrong with it, for a program."""
    message: str
    """The same for a person; what was sent is never repeated."""


class Problem(Schema):
    """An error, as RFC 9457 (Problem Details for HTTP APIs) puts it."""

    type: str
    """The address of the page that explains the `code`."""
    title: str
    """The code in words."""
    status: int
    """That of the answer."""
    detail: str
    """A sentence that can be shown to a person."""
    instance: str
    """The path that was asked for, without what was at fault in it."""
    code: str
    """What a program compares with; it does not change."""
    request_id: str
    """What operators find it by; also in the header `X-Request-ID`."""


class ValidationProblem(Problem):
    """An error that names each invalid part of the request."""

    errors: list[InvalidPart]
    """The first twenty; empty where the `code` says it all."""


def all_refusals(base: type[Refusal] = Refusal) -> dict[str, type[Refusal]]:
    """Every refusal that can be answered, by its code."""
    found = {}
    for refusal in base.__subclasses__():
        found[refusal.code()] = refusal
        found |= all_refusals(refusal)
    return found


_SQLSTATES: Mapping[type[Refusal], tuple[str, ...]] = {
    # The database, not the request, is the trouble.
    Unavailable: ("08", "28", "3D000", "57014", "57P0", "53", "25006", "55P03", "25P03"),
    Retry: ("40001", "40P01"),
    Conflict: ("23505", "23503", "23514", "23P01"),
    ValidationFailed: ("22021", "22P02", "22003"),
}
"""What the states that begin so mean to the client."""


def refusal_for_sqlstate(sqlstate: str | None) -> type[Refusal]:
    """What a database error that no service foresaw means to the client."""
    found = (one for one, states in _SQLSTATES.items() if (sqlstate or "").startswith(states))
    return next(found, InternalError)


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
