"""What cannot be between two people, or one and the same."""

from wxc.core.errors import Refusal


class CannotFollowSelf(Refusal):
    """You cannot follow yourself."""

    status = 422


class CannotBlockSelf(Refusal):
    """You cannot block yourself."""

    status = 422


class CannotMuteSelf(Refusal):
    """You cannot mute yourself."""

    status = 422
