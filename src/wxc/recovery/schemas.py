"""What links in mails are asked for with, and what they bring about."""

from pydantic import BaseModel, ConfigDict

from wxc.auth.schemas import NewPassword
from wxc.core.text import EmailAddress


class PasswordResetRequest(BaseModel):
    """Whose password is to be chosen anew."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"email": "amelia@example.com"}]}
    )

    email: EmailAddress


class PasswordReset(BaseModel):
    """The password that is to hold from now on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"password": "a longer walk in Porto"}]}
    )

    password: NewPassword
