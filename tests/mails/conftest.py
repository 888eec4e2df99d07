"""An outbox, a worker and a mail server; and Ada, who gets the mails."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests import factories
from tests.mailing import database, later, mailing, smtp, worker

__all__ = ["database", "later", "mailing", "smtp", "worker"]


@pytest.fixture
async def ada(connection: AsyncConnection) -> UUID:
    return await factories.make_user(connection, "ada")
