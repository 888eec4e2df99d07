from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support import factories
from tests.support.mail import database, later, mail_config, smtp, worker

__all__ = ["database", "later", "mail_config", "smtp", "worker"]


@pytest.fixture
async def ada(connection: AsyncConnection) -> UUID:
    return await factories.make_user(connection, "ada")
