"""What members may change about their account."""

from pydantic import BaseModel, ConfigDict

from wxc.auth.schemas import NewPassword, Password


class PasswordChange(BaseModel):
    """Another password, and the current one to prove who asks."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "current_password": "a long walk in Porto",
                    "new_password": "an even longer walk in Braga",
                }
            ]
        },
    )

    current_password: Password
    new_password: NewPassword
