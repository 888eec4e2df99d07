"""What a repeated request meets: its first answer, or what keeps it from being told."""

from uuid import UUID

from wxc.core.errors import Conflict, Refusal


class IdempotencyMismatch(Refusal):
    """This Idempotency-Key has been used for another request."""

    status = 422


class IdempotencyInFlight(Conflict):
    """The first request with this Idempotency-Key is still running. Please try again."""


class Replayed(Exception):  # noqa: N818 - a fact, and no refusal
    """The request has been answered before: raising undoes this one, and the answer is repeated."""

    def __init__(self, subject_id: UUID, status: int, location: str | None, body: str) -> None:
        super().__init__(str(subject_id))
        self.subject_id = subject_id
        self.status = status
        self.location = location
        self.body = body
