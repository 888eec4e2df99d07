from typing import Literal

from wxc.http.schemas import Schema


class Health(Schema):
    """The result of a successful check."""

    status: Literal["ok"]
    """Always `ok`; a failed check responds with 503."""
