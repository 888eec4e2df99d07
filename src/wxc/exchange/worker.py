"""The worker task that reminds the owners of boards that go stale."""

import asyncio

from wxc.core.jobs import Done, pause
from wxc.db.database import Database
from wxc.exchange.service import writing

_INTERVAL = 60.0  # seconds between two looks when there is nobody to remind


class Reminder:
    """Looks once a minute for boards that have to be confirmed."""

    name = "reminders"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, stop: asyncio.Event, done: Done) -> None:
        """Work until `stop` is set; the batch that was begun comes to its end."""
        while not stop.is_set():
            is_busy = await self.work_once()
            done()
            if not is_busy:
                await pause(_INTERVAL, stop)

    async def work_once(self) -> bool:
        """Remind some owners; False when there is nobody to remind."""
        return await writing.remind_owners(self._database)
