"""What keeps an account as it is."""

from wxc.http.refusals.base import Refusal


class WrongPassword(Refusal):
    """This is not your current password.

    Let the person try again. The session is all right; what it asks for needs the password, too.
    """

    status = 403


class TooManyUsernameChanges(Refusal):
    """You have changed your username as often as one may within a year.

    Three changes a year are allowed, and changes between capital and small letters always.
    `Retry-After` says when there is another.
    """

    status = 429
