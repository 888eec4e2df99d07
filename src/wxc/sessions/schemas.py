"""What sessions look like to their owner."""

from uuid import UUID

from pydantic import ConfigDict

from wxc.core.pagination import Page
from wxc.core.times import Timestamp
from wxc.http.schemas import Schema


class OwnSession(Schema):
    """One place where you are logged in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)",
                    "place": "Portugal",
                    "current": True,
                }
            ]
        }
    )

    id: UUID
    created_at: Timestamp
    last_used_at: Timestamp
    """When it was opened or last refreshed."""
    user_agent: str | None
    """What the browser calls itself; null where it said nothing."""
    place: str | None
    """Where that was, roughly: a country, or the network where no country is known."""
    current: bool
    """Whether it is the one that asks."""


class OwnSessionPage(Page[OwnSession]):
    """The hundred sessions that were used last; the cursors are always null."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})
