from wxc.accounts.auth.schemas import Password
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input


class AccountDeletion(Input):
    """Confirms the deletion of the account."""

    model_config = example({"current_password": "a long walk in Porto"})

    current_password: Password
    """Your current password."""
