"""What is answered to who has asked for a mail."""

from typing import Literal

from wxc.http.schemas import Schema


class MailAccepted(Schema):
    """A mail follows if there is reason for one; the answer does not tell."""

    status: Literal["accepted"]
    """Always the same."""
