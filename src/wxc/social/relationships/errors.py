from wxc.http.refusals.base import Refusal


class CannotFollowSelf(Refusal):
    """You cannot follow yourself.

    Occurs when you follow or unfollow your own account. Hide the button on the user's own
    profile; their feed contains their own posts anyway.
    """

    status = 422


class CannotBlockSelf(Refusal):
    """You cannot block yourself.

    Occurs when you block or unblock your own account. Hide the button on the user's own profile.
    """

    status = 422


class CannotMuteSelf(Refusal):
    """You cannot mute yourself.

    Occurs when you mute or unmute your own account. Hide the button on the user's own profile.
    """

    status = 422
