"""What accounts and sessions look like to a client."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from wxc.core.ids import Id
from wxc.core.text import EMAIL_LENGTH, EmailAddress, Secret, Text, normalise_email
from wxc.core.times import Timestamp

USERNAME_PATTERN = r"^[A-Za-z0-9_]{3,30}$"
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128

Username = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_]+\z", min_length=3, max_length=30),
    Field(json_schema_extra={"pattern": USERNAME_PATTERN}),
]
NewPassword = Annotated[str, Secret(LONGEST_PASSWORD, SHORTEST_PASSWORD)]
Password = Annotated[str, Secret(LONGEST_PASSWORD)]
DisplayName = Annotated[str, Text(50, one_line=True)]


class Registration(BaseModel):
    """A new account."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "username": "amelia",
                    "email": "amelia@example.com",
                    "password": "a long walk in Porto",
                    "display_name": "Amelia",
                }
            ]
        },
    )

    username: Username
    email: EmailAddress
    password: NewPassword
    display_name: DisplayName | None = None


def _as_registered(identifier: str) -> str:
    """An address in the form in which registration keeps it; anything else as it is."""
    try:
        return normalise_email(identifier) if "@" in identifier else identifier
    except PydanticCustomError:
        return identifier


class Credentials(BaseModel):
    """Who wants to log in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"identifier": "amelia", "password": "a long walk in Porto"}]
        },
    )

    identifier: Annotated[
        str,
        Text(EMAIL_LENGTH, one_line=True),
        AfterValidator(_as_registered),
        Field(description="A username or an e-mail address."),
    ]
    password: Password


class Me(BaseModel):
    """The account of the person who asks; nobody else ever sees it."""

    id: Id
    username: str
    email: str
    email_verified: bool
    pending_email: str | None
    display_name: str | None
    bio: str | None
    avatar_url: str | None
    home_currency: str | None
    created_at: Timestamp


class CsrfToken(BaseModel):
    """What `X-CSRF-Token` must hold on every unsafe request; stable for the session's life."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    csrf_token: str


class LoggedIn(CsrfToken):
    """A session has been opened; its tokens are in the cookies."""

    user: Me
    access_expires_at: Timestamp
    """When the access token ends and `/refresh-token` is due."""


class AuthCheck(LoggedIn):
    """The session is alive."""

    authenticated: Literal[True]
