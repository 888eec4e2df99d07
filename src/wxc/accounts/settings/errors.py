from wxc.http.refusals.base import Refusal


class WrongPassword(Refusal):
    """The current password is incorrect. Please try again.

    Ask the user for the password again. The session is still valid: do not log out.
    """

    status = 403


class TooManyUsernameChanges(Refusal):
    """You have reached the limit of username changes within a year. Try again in {wait}.

    The default limit is three changes in 365 days; changes of upper and lower case are not limited.
    `Retry-After` is the time until the next change is allowed, in seconds.
    """

    status = 429
    retry_after = 30 * 86_400
