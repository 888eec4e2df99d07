"""What keeps an account as it is."""

from wxc.core.errors import Refusal


class WrongPassword(Refusal):
    """This is not your current password."""

    status = 403


class TooManyUsernameChanges(Refusal):
    """You have changed your username as often as one may within a year."""

    status = 429
