from collections.abc import AsyncIterator

import pytest

from wxc.core.config import Config
from wxc.db.database import Database


@pytest.fixture
async def database(config: Config, fresh_database_url: str) -> AsyncIterator[Database]:
    """A database with one connection for each handle."""
    changed = {"database_url": fresh_database_url, "database_pool_size": 2}
    database = Database(config.model_copy(update=changed))
    yield database
    await database.close()
