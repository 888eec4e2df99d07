"""How a connection is opened and set up, for the pools of both handles."""

import time
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic_core import from_json
from sqlalchemy import make_url

from wxc.core.config import Config, libpq_url

_PREPARED_STATEMENTS = 100  # that a connection keeps, unless the URL says otherwise
# No JIT: compiling takes longer than any statement of ours. And PostgreSQL reckons planning at a
# twentieth of what it costs: by this cost it plans the second page of a feed once and not for
# every request.
_PLANNER = {"jit": "off", "cpu_operator_cost": "0.02"}


if TYPE_CHECKING:
    Base = asyncpg.Connection[asyncpg.Record]
else:
    Base = asyncpg.Connection  # generic for type checkers only


class Connection(Base):
    """asyncpg's connection, which remembers when it was last used."""

    __slots__ = ("_used_at",)

    def mark_used(self) -> None:
        """Note that the server has just answered."""
        self._used_at = time.monotonic()

    def idle_seconds(self) -> float:
        """For how long the server has not been heard."""
        return time.monotonic() - self._used_at


def statement_cache_size(url: str) -> int:
    """How many prepared statements a connection keeps; 0 behind a pooler that cannot have any."""
    return int(str(make_url(url).query.get("prepared_statement_cache_size", _PREPARED_STATEMENTS)))


async def connect(config: Config, url: str, **options: Any) -> Connection:  # noqa: ANN401 - the pool's
    """Open a connection as all of ours are: bounded in time, planned as our statements need.

    The settings are set in the session, since PgBouncer refuses start-up parameters.
    """
    connection: Connection = await asyncpg.connect(
        libpq_url(url),
        timeout=config.database_connect_timeout,
        statement_cache_size=statement_cache_size(url),
        max_cacheable_statement_size=0,  # whatever their length: it is the long ones that cost
        **{"connection_class": Connection, **options},
    )
    try:
        await connection.execute(_settings(config))
        for name in ("json", "jsonb"):  # as SQLAlchemy's dialect has its own connections do
            await connection.set_type_codec(
                name, schema="pg_catalog", encoder=str, decoder=from_json, format="text"
            )
    except BaseException:
        connection.terminate()
        raise
    connection.mark_used()
    return connection


def _settings(config: Config) -> str:
    bounds = {
        "statement_timeout": config.database_statement_timeout,
        "lock_timeout": config.database_lock_timeout,
        "idle_in_transaction_session_timeout": config.database_idle_timeout,
    }
    values = {name: str(round(value * 1000)) for name, value in bounds.items()} | _PLANNER
    return "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in values.items()
    )
