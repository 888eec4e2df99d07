from functools import partial

from wxc.db.database import Database
from wxc.exchange.boards.service import reminders
from wxc.worker.periodic_task import PeriodicTask

_INTERVAL = 60.0  # seconds, while no reminder is due


class ExchangeReminder(PeriodicTask):
    """Reminds owners to confirm rates that will soon be stale."""

    def __init__(self, database: Database) -> None:
        super().__init__("reminders", partial(reminders.remind_owners, database), _INTERVAL)
