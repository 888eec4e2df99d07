"""What may go wrong between us and the database, as SQLAlchemy's exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The last one is a driver out of step: the server's farewell crossed a statement."""
UNREACHABLE = (SQLAlchemyError, OSError, *DRIVER_ERRORS)
"""Errors that mean the database is unavailable, or may mean it."""


@contextmanager
def translated(sql: str, connection: "asyncpg.Connection[asyncpg.Record]") -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's, so that services know one kind.

    Neither the values nor PostgreSQL's DETAIL, which quotes rows, are in them: an error that is
    logged must not hold hashes or addresses.
    """
    try:
        yield
    except DRIVER_ERRORS as error:
        if isinstance(error, asyncpg.PostgresError):
            error.detail = None
        is_refused = isinstance(error, asyncpg.IntegrityConstraintViolationError)
        raise (IntegrityError if is_refused else DBAPIError)(
            sql,
            None,
            error,
            hide_parameters=True,
            connection_invalidated=is_lost(connection),
        ) from error


def is_lost(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Whether the connection has ended; the pool takes one back that the server has closed."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True
