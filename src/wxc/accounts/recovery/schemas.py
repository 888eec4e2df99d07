from typing import Annotated

from wxc.accounts.auth.schemas import NewPassword
from wxc.core.text import EmailAddress, Text
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input


class PasswordResetRequest(Input):
    """The account whose password is to be reset."""

    model_config = example({"email": "amelia@example.com"})

    email: EmailAddress
    """The e-mail address of the account."""


class MailedToken(Input):
    """The token of a mailed link."""

    model_config = example({"token": "rJ1uVnnJMB1Kx4IhCLvp6ZtOQ5c3kSPd0wXy7aGfE2M"})

    token: Annotated[str, Text(200)]
    """The part of the link after `#token=`."""


class PasswordReset(Input):
    """The new password."""

    model_config = example({"password": "a longer walk in Porto"})

    password: NewPassword
    """Any characters, used as sent without trimming; very common passwords are refused."""
