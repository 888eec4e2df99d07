from typing import Annotated

from wxc.accounts.auth.schemas import DisplayName, NewPassword, Password, Username
from wxc.core.currencies import CurrencyCode
from wxc.core.text import EmailAddress, Text, WebAddress
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input


class Settings(Input):
    """All of your profile settings; omitted fields are cleared."""

    model_config = example(
        {
            "display_name": "Amelia",
            "bio": "Walks a lot, mostly uphill.",
            "avatar_url": "https://images.example.com/amelia.png",
            "home_currency": "EUR",
        }
    )

    display_name: DisplayName | None = None
    """Shown next to the username."""
    bio: Annotated[str, Text(500)] | None = None
    """A short text about you."""
    avatar_url: Annotated[str, WebAddress(2000)] | None = None
    """The http or https URL of your picture."""
    home_currency: CurrencyCode | None = None
    """The ISO 4217 code of your preferred currency."""


class PasswordChange(Input):
    """A new password, confirmed with the current one."""

    model_config = example(
        {
            "current_password": "a long walk in Porto",
            "new_password": "an even longer walk in Braga",
        }
    )

    current_password: Password
    """Your current password."""
    new_password: NewPassword
    """Any characters, used as sent without trimming; easily guessed passwords are refused."""


class EmailChange(Input):
    """A new e-mail address, confirmed with the current password."""

    model_config = example(
        {"email": "amelia@example.org", "current_password": "a long walk in Porto"}
    )

    email: EmailAddress
    """The new address; it receives the link."""
    current_password: Password
    """Your current password."""


class UsernameChange(Input):
    """A new username, confirmed with the current password."""

    model_config = example({"username": "amelia_r", "current_password": "a long walk in Porto"})

    username: Username
    """Letters, digits and underscores; displayed as sent, unique regardless of case."""
    current_password: Password
    """Your current password."""
