from wxc.http.refusals.base import Refusal


class InternalError(Refusal):
    """Something went wrong on our side. Please try again later.

    Sending the request again will rarely help. Report the `request_id` to the operators, who can
    find the cause in the log.
    """

    status = 500


class Unavailable(Refusal):
    """The service is not available right now. Please try again in a moment.

    Wait for the seconds in `Retry-After` and send the request again, with a longer wait each time.
    On routes that accept an `Idempotency-Key`, use the same one to repeat a write safely.
    """

    status = 503
    retry_after = 2


class Retry(Refusal):
    """Another change was made at the same time. Please try again.

    The request had no effect. Send it again after the seconds in `Retry-After`.
    """

    status = 503
    retry_after = 1


class Overloaded(Refusal):
    """The service is busy. Please try again in a moment.

    The request had no effect. Wait for the seconds in `Retry-After` and send it again, with a
    longer wait each time.
    """

    status = 503
    retry_after = 1


class DeadlineExceeded(Refusal):
    """This took too long. Please try again in a moment.

    The server stopped the request at its deadline. Wait for the seconds in `Retry-After` and send
    it again; for a list, with a smaller `limit`.
    """

    status = 503
    retry_after = 2
