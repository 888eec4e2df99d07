"""What can keep somebody out."""

from wxc.core.errors import Conflict, Refusal, Unauthenticated


class NotAuthenticated(Unauthenticated):
    """Please log in."""


class SessionExpired(Unauthenticated):
    """The session has ended or needs to be refreshed."""


class RefreshReused(Unauthenticated):
    """This refresh token was used before; somebody may have copied it, so the session has ended."""


class InvalidCredentials(Unauthenticated):
    """The name or the password is wrong."""


class AccountSuspended(Refusal):
    """This account is suspended."""

    status = 403


class UsernameTaken(Conflict):
    """This username is taken."""


class EmailTaken(Conflict):
    """There is an account with this e-mail address already."""


class UsernameReserved(Refusal):
    """This username is reserved."""

    status = 422


class PasswordTooCommon(Refusal):
    """This password is one of those that are tried first. Please choose another."""

    status = 422


class HashingBusy(Refusal):
    """Too many people are logging in at this moment. Please try again in a moment."""

    status = 503
    retry_after = 2
