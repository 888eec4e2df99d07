"""Refusals about users."""

from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import NotFound


class UserNotFound(NotFound):
    """There is nobody of that name."""


class BlockedByYou(Refusal):
    """You have blocked this person.

    `DELETE /users/{username}/block` unblocks them.
    """

    status = 403
