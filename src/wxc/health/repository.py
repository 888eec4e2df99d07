"""SQL for readiness."""

from typing import NamedTuple

from sqlalchemy import String, column, select, table

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared


class SchemaRevision(NamedTuple):
    """The migration that the schema is at."""

    version_num: str


@prepared(SchemaRevision)
def schema_revision() -> AnySelect:
    """The migration that the schema is at; no row before the first."""
    return select(column("version_num", String)).select_from(table("alembic_version"))
