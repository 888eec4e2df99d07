"""The state of the resource that a request is for."""

from wxc.http.refusals.base import Refusal


class InvalidCursor(Refusal):
    """The cursor does not belong to this list.

    Use `next_cursor` and `prev_cursor` exactly as they came, with the same address, filters
    and member. Or begin anew, without a cursor.
    """


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


class Conflict(Refusal):
    """The request conflicts with what is there.

    Read what is there, and decide whether to send the request again.
    """

    status = 409


class PreconditionFailed(Refusal):
    """This has changed since you read it. Please read it again.

    Read it again, show the changes to whoever edits, and send the result with the new `ETag`
    in `If-Match`.
    """

    status = 412
