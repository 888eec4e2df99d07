from datetime import timedelta
from functools import partial

from wxc.accounts.auth.tokens import LEEWAY
from wxc.accounts.deletion.service import purge_batch
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.worker.periodic_task import PeriodicTask

_INTERVAL = 1.0  # seconds, while no account is due


class AccountPurger(PeriodicTask):
    """Deletes the rows of deleted accounts, one batch per round."""

    def __init__(self, config: Config, database: Database) -> None:
        retention = timedelta(seconds=config.access_token_lifetime) + 2 * LEEWAY
        super().__init__("erasure", partial(purge_batch, database, retention=retention), _INTERVAL)
