from typing import Any, Protocol, TypeVar

from wxc.db.prepared import PreparedQuery

Row = TypeVar("Row", bound=tuple[Any, ...] | None)
Fields = TypeVar("Fields", bound=tuple[Any, ...])


class Handle(Protocol):
    """Runs prepared queries: `Database` or `Primary` in autocommit, `Session` in a transaction."""

    async def fetch(self, query: PreparedQuery[Row]) -> list[Row]:
        """All rows; raises SQLAlchemy's `DBAPIError`."""

    async def fetch_one(self, query: PreparedQuery[Fields]) -> Fields | None:
        """The only row, or None."""
