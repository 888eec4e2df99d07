from wxc.http.refusals.access import Unauthenticated
from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import Conflict


class NotAuthenticated(Unauthenticated):
    """Please log in."""


class SessionExpired(Unauthenticated):
    """Your session has expired. Please log in again.

    The access token has expired, or the session has ended. Before showing this, send one
    `POST /refresh-token`, shared by all pending requests, and repeat the request. If the refresh
    is refused too, ask the user to log in.
    """


class RefreshReused(Unauthenticated):
    """You were logged out to protect your account. Please log in again.

    An old refresh token was used again, so it may have been stolen; the session has ended. To
    avoid this, let all tabs of a browser share its cookies, and send one refresh at a time. If
    your client did not send the token twice, advise the user to check `GET /sessions` and to
    change the password.
    """


class InvalidCredentials(Unauthenticated):
    """The username, e-mail address or password is incorrect.

    Unknown accounts get the same response. Let the user try again, or offer
    `POST /request-password-reset`.
    """


class AccountSuspended(Refusal):
    """Your account is suspended. Please contact the operators of this service.

    Only sent if the password was correct, so that others do not learn of the suspension.
    """

    status = 403


class UsernameTaken(Conflict):
    """This username is taken. Please choose another.

    Usernames are unique regardless of case. Former names stay reserved, also those of deleted
    accounts.
    """


class EmailTaken(Conflict):
    """An account with this e-mail address already exists.

    Offer `POST /login` or `POST /request-password-reset`.
    """


class UsernameReserved(Refusal):
    """This username is reserved. Please choose another.

    Names of routes and roles are reserved, such as `settings` and `admin`, also between underscores
    and digits, as in `support_1`.
    """

    status = 422


class PasswordTooCommon(Refusal):
    """This password is easy to guess. Please choose another, such as four unrelated words.

    It is in a list of frequently used passwords, or can be guessed from the user's own username,
    e-mail address or display name, or from the name of this service; digits and punctuation around
    such a word do not help. Length protects better than special characters.
    """

    status = 422


class HashingBusy(Refusal):
    """The service is busy. Please try again in a moment.

    Too many passwords are being checked. Repeat the request after `Retry-After` seconds.
    """

    status = 503
    retry_after = 2
