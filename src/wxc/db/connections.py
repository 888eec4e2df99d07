import time
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic_core import from_json
from sqlalchemy import make_url

from wxc.core.config import Config
from wxc.core.database_urls import libpq_url

_DEFAULT_STATEMENT_CACHE_SIZE = 100  # per connection, unless the URL sets it
# No JIT: compiling takes longer than any of our statements. PostgreSQL underestimates the cost of
# planning by a factor of 20: with this setting it plans the second page of a feed only once.
_PLANNER_SETTINGS = {"jit": "off", "cpu_operator_cost": "0.02"}


if TYPE_CHECKING:
    Base = asyncpg.Connection[asyncpg.Record]
else:
    Base = asyncpg.Connection  # generic for type checkers only


class Connection(Base):
    """asyncpg's connection with the time of its last use."""

    __slots__ = ("_last_used_at",)

    def mark_used(self) -> None:
        """Record that the server has just responded."""
        self._last_used_at = time.monotonic()

    def idle_seconds(self) -> float:
        return time.monotonic() - self._last_used_at


def statement_cache_size(url: str) -> int:
    """Prepared statements per connection; 0 behind a pooler that does not support them."""
    return int(
        str(make_url(url).query.get("prepared_statement_cache_size", _DEFAULT_STATEMENT_CACHE_SIZE))
    )


async def connect(config: Config, url: str, **options: Any) -> Connection:  # noqa: ANN401
    """Open a connection with our time-outs and planner settings.

    They are set by a statement, since PgBouncer refuses start-up parameters.
    """
    connection: Connection = await asyncpg.connect(
        libpq_url(url),
        timeout=config.database_connect_timeout,
        statement_cache_size=statement_cache_size(url),
        max_cacheable_statement_size=0,  # no limit: long ones gain most
        **{"connection_class": Connection, **options},
    )
    try:
        await connection.execute(_set_config_statement(config))
        for name in ("json", "jsonb"):  # as on SQLAlchemy's own connections
            await connection.set_type_codec(
                name, schema="pg_catalog", encoder=str, decoder=from_json, format="text"
            )
    except BaseException:
        connection.terminate()
        raise
    connection.mark_used()
    return connection


def _set_config_statement(config: Config) -> str:
    timeouts = {
        "statement_timeout": config.database_statement_timeout,
        "lock_timeout": config.database_lock_timeout,
        "idle_in_transaction_session_timeout": config.database_idle_timeout,
    }
    values = {
        name: str(round(value * 1000)) for name, value in timeouts.items()
    } | _PLANNER_SETTINGS
    return "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in values.items()
    )
