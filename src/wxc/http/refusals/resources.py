from wxc.http.refusals.base import Refusal


class InvalidCursor(Refusal):
    """This list could not be continued. Please load it again from the beginning.

    The cursor is not valid for this list. Use `next_cursor` and `prev_cursor` unchanged, with the
    same path, filters and member, or start again without a cursor.
    """


class NotFound(Refusal):
    """This does not exist or is no longer available.

    The resource was deleted, never existed, or is not visible to you; the answer does not reveal
    which. Remove it from the page.
    """

    status = 404


class MethodNotAllowed(Refusal):
    """This action is not available here. Please reload the page and try again.

    The path does not support the method. The `Allow` header lists the supported ones.
    """

    status = 405


class Conflict(Refusal):
    """This conflicts with the current data. Please reload and try again.

    Usually a concurrent request has changed the same data. Read the current state and decide
    whether to send the request again.
    """

    status = 409


class PreconditionFailed(Refusal):
    """This has changed since you opened it. Please reload it before you save.

    None of the versions in `If-Match` is current. Read the resource again, show the changes to the
    user, and send the result with the new `ETag` in `If-Match`.
    """

    status = 412
