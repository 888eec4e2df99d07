"""The body of an error response (RFC 9457, Problem Details for HTTP APIs)."""

from pydantic import ConfigDict

from wxc.http.schemas import Schema


class FieldError(Schema):
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

    errors: list[FieldError]
    """The first twenty; empty where the `code` says it all."""
