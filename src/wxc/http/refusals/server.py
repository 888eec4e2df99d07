"""Failures and overload on the server."""

from wxc.http.refusals.base import Refusal


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
