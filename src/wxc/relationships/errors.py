"""What cannot be between two people."""

from wxc.core.errors import Refusal


class CannotFollowSelf(Refusal):
    """You cannot follow yourself."""

    status = 422
