"""What it takes to leave."""

from wxc.accounts.auth.schemas import Password
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input


class AccountDeletion(Input):
    """The current password, to prove who asks."""

    model_config = example({"current_password": "a long walk in Porto"})

    current_password: Password
    """Proves who asks."""
