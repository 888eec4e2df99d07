"""What links in mails are asked for with, and what they bring about."""

from wxc.accounts.auth.schemas import NewPassword
from wxc.core.text import EmailAddress
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input


class PasswordResetRequest(Input):
    """Whose password is to be chosen anew."""

    model_config = example({"email": "amelia@example.com"})

    email: EmailAddress
    """Whose account it is."""


class PasswordReset(Input):
    """The password that is to hold from now on."""

    model_config = example({"password": "a longer walk in Porto"})

    password: NewPassword
    """Any characters; only what is tried first is refused. Nothing is trimmed."""
