from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import NotFound


class UserNotFound(NotFound):
    """There is no user with this name."""


class BlockedByYou(Refusal):
    """You have blocked this user. Unblock them to continue.

    Occurs when you interact with a user you have blocked, or with their content. Offer to unblock
    them with `DELETE /users/{username}/block`.
    """

    status = 403
