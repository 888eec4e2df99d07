"""What members may change about their account."""

from typing import Annotated

from wxc.accounts.auth.schemas import DisplayName, NewPassword, Password, Username
from wxc.core.currencies import CurrencyCode
from wxc.core.text import EmailAddress, Text, WebAddress
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input


class Settings(Input):
    """How you want to be seen, all of it: what is absent is taken away."""

    model_config = example(
        {
            "display_name": "Amelia",
            "bio": "Walks a lot, mostly uphill.",
            "avatar_url": "https://images.example.com/amelia.png",
            "home_currency": "EUR",
        }
    )

    display_name: DisplayName | None = None
    """Shown beside the username."""
    bio: Annotated[str, Text(500)] | None = None
    """What you say of yourself."""
    avatar_url: Annotated[str, WebAddress(2000)] | None = None
    """A picture, wherever you keep it; http or https."""
    home_currency: CurrencyCode | None = None
    """The ISO 4217 code of the currency you think in."""


class PasswordChange(Input):
    """Another password, and the current one to prove who asks."""

    model_config = example(
        {
            "current_password": "a long walk in Porto",
            "new_password": "an even longer walk in Braga",
        }
    )

    current_password: Password
    """Proves who asks."""
    new_password: NewPassword
    """Any characters; only what is tried first is refused. Nothing is trimmed."""


class EmailChange(Input):
    """Another address, and the current password to prove who asks."""

    model_config = example(
        {"email": "amelia@example.org", "current_password": "a long walk in Porto"}
    )

    email: EmailAddress
    """Where the link is sent; yours once it has been used."""
    current_password: Password
    """Proves who asks."""


class UsernameChange(Input):
    """Another username, and the current password to prove who asks."""

    model_config = example({"username": "amelia_r", "current_password": "a long walk in Porto"})

    username: Username
    """Letters, digits and underscores; shown as typed, and nobody else may have it in any case."""
    current_password: Password
    """Proves who asks."""
