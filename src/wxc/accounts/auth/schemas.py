from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from wxc.core.ids import Id
from wxc.core.text import (
    MAX_EMAIL_LENGTH,
    EmailAddress,
    Secret,
    Text,
    normalise_email,
    trim_identifier,
)
from wxc.core.times import Timestamp
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input, Schema

USERNAME_PATTERN = r"^[A-Za-z0-9_]{3,30}$"
MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 8, 128

Username = Annotated[
    str,
    BeforeValidator(trim_identifier),
    StringConstraints(pattern=r"^[A-Za-z0-9_]+\z", min_length=3, max_length=30),
    Field(json_schema_extra={"pattern": USERNAME_PATTERN}),
]
NewPassword = Annotated[str, Secret(MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH)]
Password = Annotated[str, Secret(MAX_PASSWORD_LENGTH)]
DisplayName = Annotated[str, Text(50, one_line=True)]


class Registration(Input):
    """A new account."""

    model_config = example(
        {
            "username": "amelia",
            "email": "amelia@example.com",
            "password": "a long walk in Porto",
            "display_name": "Amelia",
        }
    )

    username: Username
    """Letters, digits and underscores. Shown as typed; unique regardless of case."""
    email: EmailAddress
    """Receives all mails; other users cannot see it."""
    password: NewPassword
    """Any characters; white space is not trimmed. Passwords that are easy to guess are refused."""
    display_name: DisplayName | None = None
    """Shown next to the username."""


def _normalise_identifier(identifier: str) -> str:
    """E-mail addresses in the form that registration stores; anything else unchanged."""
    try:
        return normalise_email(identifier) if "@" in identifier else identifier
    except PydanticCustomError:
        return identifier


class Credentials(Input):
    """The account to log in to, and its password."""

    model_config = example({"identifier": "amelia", "password": "a long walk in Porto"})

    identifier: Annotated[
        str,
        BeforeValidator(trim_identifier),
        Text(MAX_EMAIL_LENGTH, one_line=True),
        AfterValidator(_normalise_identifier),
        Field(description="A username or an e-mail address."),
    ]
    password: Password
    """White space is not trimmed."""


class Me(Schema):
    """Your own account; other users cannot see it."""

    model_config = example(
        {
            "id": "0198c29e-0b3d-7f11-a2c4-1d5e8f7a9b02",
            "username": "amelia",
            "email": "amelia@example.com",
            "email_verified": True,
            "display_name": "Amelia",
            "bio": "Walks a lot, mostly uphill.",
            "avatar_url": "https://images.example.com/amelia.png",
            "home_currency": "EUR",
        }
    )

    id: Id
    username: str
    """Your username as shown to everyone."""
    email: str
    """Other users cannot see it."""
    email_verified: bool
    """Whether you have opened the verification link. Nothing is restricted until then."""
    pending_email: str | None
    """Replaces `email` once you open the link mailed to it; null if no change is pending."""
    display_name: str | None
    """Shown next to the username; null if not set."""
    bio: str | None
    """A text about yourself; null if not set."""
    avatar_url: str | None
    """The http or https address of your picture, on any host; null if not set."""
    home_currency: str | None
    """The ISO 4217 code of your preferred currency; null if not set."""
    created_at: Timestamp


class CsrfToken(Schema):
    """The CSRF token, required on POST, PUT and DELETE; it does not change during a session."""

    model_config = example({"csrf_token": "uV0b7r2hJ6lqk3cT1yZ9pNf4wXsE8aGd"})

    csrf_token: str
    """Send it in the header `X-CSRF-Token`."""


class LoggedIn(CsrfToken):
    """The session that was started or refreshed; its tokens are in the cookies."""

    user: Me
    """The signed-in user."""
    access_expires_at: Timestamp
    """When the access token expires; call `POST /refresh-token` then."""


class AuthCheck(LoggedIn):
    """The current session."""

    authenticated: Literal[True]
    """Always true; without a session, the response is 401."""
