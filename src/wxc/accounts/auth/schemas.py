"""What accounts and sessions look like to a client."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from wxc.core.ids import Id
from wxc.core.text import MAX_EMAIL_LENGTH, EmailAddress, Secret, Text, normalise_email
from wxc.core.times import Timestamp
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input, Schema

USERNAME_PATTERN = r"^[A-Za-z0-9_]{3,30}$"
MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 8, 128

Username = Annotated[
    str,
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
    """Letters, digits and underscores; shown as typed, and nobody else may have it in any case."""
    email: EmailAddress
    """Where mails go; nobody else sees it."""
    password: NewPassword
    """Any characters; only what is tried first is refused. Nothing is trimmed."""
    display_name: DisplayName | None = None
    """Shown beside the username."""


def _normalise_identifier(identifier: str) -> str:
    """An address in the form in which registration keeps it; anything else as it is."""
    try:
        return normalise_email(identifier) if "@" in identifier else identifier
    except PydanticCustomError:
        return identifier


class Credentials(Input):
    """Who wants to log in."""

    model_config = example({"identifier": "amelia", "password": "a long walk in Porto"})

    identifier: Annotated[
        str,
        Text(MAX_EMAIL_LENGTH, one_line=True),
        AfterValidator(_normalise_identifier),
        Field(description="A username or an e-mail address."),
    ]
    password: Password
    """Exactly as it was chosen."""


class Me(Schema):
    """The account of the person who asks; nobody else ever sees it."""

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
    """As it is shown to everybody."""
    email: str
    """Nobody else sees it."""
    email_verified: bool
    """Whether the mailed link has been used; who has not may do everything, too."""
    pending_email: str | None
    """Takes the place of `email` once the link that was sent there is used."""
    display_name: str | None
    """Shown beside the username; null where there is none."""
    bio: str | None
    """What they say of themselves."""
    avatar_url: str | None
    """A picture, wherever they keep it."""
    home_currency: str | None
    """The ISO 4217 code of the currency they think in."""
    created_at: Timestamp


class CsrfToken(Schema):
    """What `X-CSRF-Token` must hold on every unsafe request; stable for the session's life."""

    model_config = example({"csrf_token": "uV0b7r2hJ6lqk3cT1yZ9pNf4wXsE8aGd"})

    csrf_token: str
    """Goes into the header `X-CSRF-Token`."""


class LoggedIn(CsrfToken):
    """A session has been opened; its tokens are in the cookies."""

    user: Me
    """Who is signed in."""
    access_expires_at: Timestamp
    """When the access token ends and `/refresh-token` is due."""


class AuthCheck(LoggedIn):
    """The session is alive."""

    authenticated: Literal[True]
    """Who is not signed in gets 401 instead."""
