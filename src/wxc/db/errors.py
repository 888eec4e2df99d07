"""Errors of the database and its driver, as SQLAlchemy's exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The last one is raised if the server closes the connection while a statement is sent."""
UNAVAILABLE_ERRORS = (SQLAlchemyError, OSError, *DRIVER_ERRORS)
"""Errors that mean the database is unavailable, or may mean it."""


@contextmanager
def translate_errors(sql: str, connection: "asyncpg.Connection[asyncpg.Record]") -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy's, so that services know one kind.

    Neither the values nor PostgreSQL's DETAIL, which quotes rows, are in them: an error that is
    logged must not hold hashes or addresses.
    """
    try:
        yield
    except DRIVER_ERRORS as error:
        if isinstance(error, asyncpg.PostgresError):
            error.detail = None
        is_integrity_error = isinstance(error, asyncpg.IntegrityConstraintViolationError)
        raise (IntegrityError if is_integrity_error else DBAPIError)(
            sql,
            None,
            error,
            hide_parameters=True,
            connection_invalidated=is_lost(connection),
        ) from error


def is_lost(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Whether the connection is closed; asyncpg's pool raises for one that it has taken back."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True
