"""What keeps an account as it is."""

from wxc.http.refusals.base import Refusal


class WrongPassword(Refusal):
    """This is not your current password.

    Let the person try again. The session is all right; what it asks for needs the password, too.
    """

    status = 403


class TooManyUsernameChanges(Refusal):
    """You have changed your username too often in the last year. Try again in {wait}.

    The default limit is three changes within 365 days; a change of upper and lower case alone is
    always allowed. `Retry-After` has the seconds until the next change is possible.
    """

    status = 429
    retry_after = 30 * 86_400
