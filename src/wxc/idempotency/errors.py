"""Refusals of a repeated request, and the replay of its first response."""

from uuid import UUID

from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import Conflict


class IdempotencyMismatch(Refusal):
    """This Idempotency-Key has been used for another request.

    A key stands for one request with one body. Draw a new one for each thing that a person
    wants done; keep it only for sending the very same again.
    """

    status = 422


class IdempotencyInFlight(Conflict):
    """The first request with this Idempotency-Key is still running. Please try again.

    Send it again with the same key in a second: then you get the first request's answer.
    """


class ReplayedResponse(Exception):  # noqa: N818 - not an error
    """The first response to a repeated request; raising it rolls back and sends the response."""

    def __init__(self, subject_id: UUID, status: int, location: str | None, body: str) -> None:
        super().__init__(str(subject_id))
        self.subject_id = subject_id
        self.status = status
        self.location = location
        self.body = body
