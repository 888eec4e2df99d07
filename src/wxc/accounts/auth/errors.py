"""What can keep somebody out."""

from wxc.http.refusals.access import Unauthenticated
from wxc.http.refusals.base import Refusal
from wxc.http.refusals.resources import Conflict


class NotAuthenticated(Unauthenticated):
    """Please log in."""


class SessionExpired(Unauthenticated):
    """The session has ended or needs to be refreshed.

    Send `POST /refresh-token` once, whatever else is under way, then this request again. If that
    is refused too, ask the person to log in.
    """


class RefreshReused(Unauthenticated):
    """This refresh token was used before; somebody may have copied it, so the session has ended.

    All tabs of a browser must share its cookies, and only one refresh may be under way at a
    time. The person has to log in again; if they have not copied anything, somebody else has:
    they should look at `GET /sessions` and change their password.
    """


class InvalidCredentials(Unauthenticated):
    """The name or the password is wrong.

    The answer is the same for a name that nobody has. Let the person try again, or offer
    `POST /request-password-reset`.
    """


class AccountSuspended(Refusal):
    """This account is suspended.

    Operators have suspended it. The person has to write to them; nobody else sees this.
    """

    status = 403


class UsernameTaken(Conflict):
    """This username is taken.

    Names are taken whatever their case, also those of members who left. Offer another one.
    """


class EmailTaken(Conflict):
    """There is an account with this e-mail address already.

    Offer to log in, or `POST /request-password-reset`.
    """


class UsernameReserved(Refusal):
    """This username is reserved.

    It is the name of a route or of a role, such as `settings` or `admin`. Offer another one.
    """

    status = 422


class PasswordTooCommon(Refusal):
    """This password is one of those that are tried first. Please choose another.

    Length helps more than odd characters: four words that do not belong together are good.
    """

    status = 422


class HashingBusy(Refusal):
    """Too many people are logging in at this moment. Please try again in a moment.

    Wait for the seconds in `Retry-After`, and send it again.
    """

    status = 503
    retry_after = 2
