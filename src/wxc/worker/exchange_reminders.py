"""The background task that reminds owners to confirm their rates."""

from functools import partial

from wxc.db.database import Database
from wxc.exchange.boards.service import reminders
from wxc.worker.periodic_task import PeriodicTask

_INTERVAL = 60.0  # seconds between two rounds when no reminder is due


class ExchangeReminder(PeriodicTask):
    """Reminds the owners of boards that will soon be stale."""

    def __init__(self, database: Database) -> None:
        super().__init__("reminders", partial(reminders.remind_owners, database), _INTERVAL)
