from pydantic import ConfigDict

from wxc.http.schemas import Schema


class FieldError(Schema):
    """An error in one field or parameter."""

    model_config = ConfigDict(extra="forbid")

    pointer: str
    """A JSON pointer into the body, or a location such as `query.limit`."""
    code: str
    """The kind of error, for programs."""
    message: str
    """A text for the user. It never repeats the rejected value."""


class Problem(Schema):
    """An error (RFC 9457, Problem Details for HTTP APIs)."""

    type: str
    """The address of the documentation page for the `code`."""
    title: str
    """The code in words."""
    status: int
    """The HTTP status code."""
    detail: str
    """A text to show to the user."""
    instance: str
    """The path of the request; invalid or secret parts are replaced."""
    code: str
    """A stable identifier of the error; programs should compare this field."""
    request_id: str
    """Identifies the request in the server's logs; also in the header `X-Request-ID`."""


class ValidationProblem(Problem):
    """An error that lists the invalid fields and parameters of the request."""

    errors: list[FieldError]
    """At most twenty. Empty if the `code` alone explains the error."""
