from wxc.accounts.auth.schemas import NewPassword
from wxc.core.text import EmailAddress
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input


class PasswordResetRequest(Input):
    """The account whose password is to be reset."""

    model_config = example({"email": "amelia@example.com"})

    email: EmailAddress
    """The e-mail address of the account."""


class PasswordReset(Input):
    """The new password."""

    model_config = example({"password": "a longer walk in Porto"})

    password: NewPassword
    """Any characters, used as sent without trimming; easily guessed passwords are refused."""
