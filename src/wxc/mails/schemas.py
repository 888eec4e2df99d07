"""What is answered to who has asked for a mail."""

from typing import Literal

from pydantic import BaseModel


class MailAccepted(BaseModel):
    """A mail follows if there is reason for one; the answer does not tell."""

    status: Literal["accepted"]
