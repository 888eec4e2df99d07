"""What is answered to who has asked for a mail."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class MailAccepted(BaseModel):
    """A mail follows if there is reason for one; the answer does not tell."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    status: Literal["accepted"]
    """Always the same."""
