from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The last is raised if the server closes the connection while a statement is sent."""
UNAVAILABLE_ERRORS = (SQLAlchemyError, OSError, *DRIVER_ERRORS)
"""Errors that may mean that the database is unavailable."""


@contextmanager
def translate_errors(sql: str, connection: "asyncpg.Connection[asyncpg.Record]") -> Iterator[None]:
    """Raise SQLAlchemy's exceptions in place of the driver's.

    They contain neither the parameters nor PostgreSQL's DETAIL, which quotes rows: logged errors
    must not contain hashes or addresses.
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


def hide_details(engine: Engine) -> None:
    """Remove the DETAIL from errors of statements that SQLAlchemy executes on this engine."""
    event.listen(engine, "handle_error", _hide_detail)


def _hide_detail(context: ExceptionContext) -> None:
    driver_error = context.original_exception.__cause__
    if not isinstance(driver_error, asyncpg.PostgresError):
        return
    driver_error.detail = None
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None:  # its text was made before
            error.args = (str(error.args[0]).partition("\nDETAIL:")[0], *error.args[1:])


def is_lost(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Whether the connection is closed; asyncpg raises for one that its pool has taken back."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True
