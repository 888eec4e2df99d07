import time
from typing import Any, cast

from pydantic_core import from_json
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from wxc.core import logging as logs
from wxc.core.config import Config
from wxc.core.tracing import sql_comment
from wxc.db.connections import connect, statement_cache_size
from wxc.db.errors import hide_details
from wxc.db.pool import MAX_IDLE_WITHOUT_PING


def make_engine(config: Config, size: int) -> AsyncEngine:
    """The engine of sessions, with connections configured like those of `Database`."""

    def open_connection() -> Any:  # noqa: ANN401 - SQLAlchemy's adapter of the driver's connection
        return cast(Any, engine.sync_engine.dialect.dbapi).connect(
            async_creator_fn=lambda: connect(config, config.database_url),
            prepared_statement_cache_size=statement_cache_size(config.database_url),
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        creator=open_connection,
        pool_size=size,
        max_overflow=0,
        pool_timeout=config.database_pool_wait,
        pool_recycle=300,
        pool_use_lifo=True,
        skip_autocommit_rollback=True,
        hide_parameters=True,  # logged errors must not contain hashes or addresses
        json_deserializer=from_json,  # twice as fast as the standard library
    )
    hide_details(engine.sync_engine)
    event.listen(engine.sync_engine, "checkin", _record_checkin)
    event.listen(engine.sync_engine, "checkout", _check_idle)
    event.listen(engine.sync_engine, "before_cursor_execute", _count_statement)
    if config.tracing:
        event.listen(engine.sync_engine, "before_cursor_execute", _add_comment, retval=True)
    return engine


def _record_checkin(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["returned_at"] = time.monotonic()


def _check_idle(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401
    """Make the pool replace a connection that was closed while it was idle.

    The driver knows about every close that the network has reported. The server is pinged only
    after an idle time in which a firewall may have dropped the connection.
    """
    returned_at = record.info.get("returned_at")
    if returned_at is None:
        return
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if time.monotonic() - returned_at > MAX_IDLE_WITHOUT_PING:
        try:
            connection.ping()
        except connection.dbapi.Error as error:
            raise InvalidatePoolError from error


def _count_statement(*_: object) -> None:
    logs.count_statement()


def _add_comment(
    _connection: object, _cursor: object, statement: str, parameters: object, *_: object
) -> tuple[str, object]:
    """Prefix a statement with the request id, for the server's log and `pg_stat_activity`."""
    return sql_comment() + statement, parameters
