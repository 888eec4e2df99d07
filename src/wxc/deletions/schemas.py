"""What it takes to leave."""

from pydantic import ConfigDict

from wxc.auth.schemas import Password
from wxc.http.schemas import Input


class AccountDeletion(Input):
    """The current password, to prove who asks."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"current_password": "a long walk in Porto"}]}
    )

    current_password: Password
    """Proves who asks."""
