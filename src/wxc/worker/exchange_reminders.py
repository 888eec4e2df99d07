"""The worker task that reminds the owners of boards that go stale."""

from functools import partial

from wxc.db.database import Database
from wxc.exchange.boards.service import reminders
from wxc.worker.periodic_task import PeriodicTask

_INTERVAL = 60.0  # seconds between two looks when there is nobody to remind


class Reminder(PeriodicTask):
    """Looks once a minute for boards that have to be confirmed."""

    def __init__(self, database: Database) -> None:
        super().__init__("reminders", partial(reminders.remind_owners, database), _INTERVAL)
