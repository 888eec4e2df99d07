from typing import Literal

from wxc.http.schemas import Schema


class MailAccepted(Schema):
    """The request was accepted. The response is the same whether or not an e-mail is sent."""

    status: Literal["accepted"]
    """Always `accepted`."""
