"""Refusals to relate to oneself."""

from wxc.http.refusals.base import Refusal


class CannotFollowSelf(Refusal):
    """You cannot follow yourself.

    Your own posts are in your feed anyway. Do not offer it on a person's own page.
    """

    status = 422


class CannotBlockSelf(Refusal):
    """You cannot block yourself.

    Do not offer it on a person's own page.
    """

    status = 422


class CannotMuteSelf(Refusal):
    """You cannot mute yourself.

    Do not offer it on a person's own page.
    """

    status = 422
