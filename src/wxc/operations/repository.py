"""SQL for health."""

from sqlalchemy import String, column, select, table

from wxc.core.database import Reader


class SchemaReader:
    """What the database says of itself."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def revision(self) -> str | None:
        """The migration that the schema is at; None before the first."""
        statement = select(column("version_num", String)).select_from(table("alembic_version"))
        return (await self.reader.execute(statement)).scalar_one_or_none()
