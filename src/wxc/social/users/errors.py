"""Refusals about users."""

from wxc.http.refusals import NotFound, Refusal


class UserNotFound(NotFound):
    """There is nobody of that name."""


class BlockedByYou(Refusal):
    """You have blocked this person.

    `DELETE /users/{username}/block` unblocks them.
    """

    status = 403
