"""The background task that deletes the rows of deleted accounts."""

import asyncio
from datetime import timedelta

from wxc.auth.tokens import LEEWAY
from wxc.core.config import Config
from wxc.core.jobs import Done, pause
from wxc.db.database import Database
from wxc.deletions import service

_INTERVAL = 1.0  # seconds between two attempts when no account is due


class Eraser:
    """Deletes batch by batch until it is stopped."""

    name = "erasure"

    def __init__(self, config: Config, database: Database) -> None:
        self._database = database
        self._kept = timedelta(seconds=config.access_token_lifetime) + 2 * LEEWAY

    async def run(self, stop: asyncio.Event, done: Done) -> None:
        """Work until `stop` is set; the current batch is finished."""
        while not stop.is_set():
            is_busy = await self.work_once()
            done()
            if not is_busy:
                await pause(_INTERVAL, stop)

    async def work_once(self) -> bool:
        """Do one batch; False if no account is due."""
        return await service.purge_batch(self._database, kept=self._kept)
