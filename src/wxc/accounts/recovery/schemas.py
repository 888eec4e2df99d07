from typing import Annotated

from wxc.accounts.auth.schemas import NewPassword
from wxc.core.text import EmailAddress, Secret
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input

_TOKEN = "rJ1uVnnJMB1Kx4IhCLvp6ZtOQ5c3kSPd0wXy7aGfE2M"  # noqa: S105 - an example
# Longer than ours, and possibly empty: malformed tokens get the same refusal as unknown ones.
_LinkToken = Annotated[str, Secret(1000, 0)]


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


class MailedPasswordReset(PasswordReset):
    """The new password, and the token of the mailed link."""

    model_config = example({"token": _TOKEN, "password": "a longer walk in Porto"})

    token: _LinkToken
    """The token in the mailed link: the part after `#token=`."""


class MailedToken(Input):
    """The token of the mailed link."""

    model_config = example({"token": _TOKEN})

    token: _LinkToken
    """The token in the mailed link: the part after `#token=`."""
