"""What it takes to leave."""

from pydantic import BaseModel, ConfigDict

from wxc.auth.schemas import Password


class AccountDeletion(BaseModel):
    """The current password, to prove who asks."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        extra="forbid",
        json_schema_extra={"examples": [{"current_password": "a long walk in Porto"}]},
    )

    current_password: Password
    """Proves who asks."""
