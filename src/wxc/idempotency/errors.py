from uuid import UUID

from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import Conflict


class IdempotencyMismatch(Refusal):
    """This differs from your first request. Please reload the page and try again.

    The `Idempotency-Key` was used for another request. Generate a new key for each operation, and
    reuse it only to repeat the same request with the same body.
    """

    status = 422


class IdempotencyInFlight(Conflict):
    """Your first request is still being processed. Try again in a moment.

    The first request with this `Idempotency-Key` is still running. Repeat it with the same key
    after a second to get the first response.
    """


class ReplayedResponse(Exception):  # noqa: N818 - not an error
    """Rolls back and sends the stored first response to a repeated request."""

    def __init__(self, subject_id: UUID, status: int, location: str | None, body: str) -> None:
        super().__init__(str(subject_id))
        self.subject_id = subject_id
        self.status = status
        self.location = location
        self.body = body
