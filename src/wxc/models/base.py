"""The base class of all tables: constraint names and column types."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, NamedTuple
from uuid import UUID

from sqlalchemy import DateTime, MetaData
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, mapped_column

from wxc.core import clock
from wxc.core.ids import new_id


class Base(DeclarativeBase):
    """The base of every table; the naming convention makes migrations match the models."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}


def columns(table: type[Base], row: Any) -> tuple[InstrumentedAttribute[Any], ...]:  # noqa: ANN401
    """The columns of a table that have the names of the fields of `row`, a `NamedTuple`."""
    return tuple(getattr(table, name) for name in row._fields)


class RowId(NamedTuple):
    """The id of a row that was found, locked, written or deleted."""

    id: UUID


IdKey = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
"""A UUIDv7 primary key, drawn by the application."""
CreatedAt = Annotated[datetime, mapped_column(default=clock.now)]
