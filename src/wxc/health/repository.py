from typing import NamedTuple

from sqlalchemy import String, column, select, table

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared


class SchemaRevision(NamedTuple):
    version_num: str


@prepared(SchemaRevision)
def schema_revision() -> AnySelect:
    """No row before the first migration."""
    return select(column("version_num", String)).select_from(table("alembic_version"))
