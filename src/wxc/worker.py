"""`wxc worker`: the jobs of the background, side by side on one pool of connections.

A later feature adds its job to the tuple in `work`.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from wxc.audit import service as audit
from wxc.core.config import Config
from wxc.core.database import UNREACHABLE, Database
from wxc.core.jobs import Chore, Job, pause
from wxc.deletions.worker import Eraser
from wxc.exchange.worker import Reminder
from wxc.idempotency import service as idempotency
from wxc.mails.worker import Worker as Mailer

_log = logging.getLogger("wxc.worker")
_FAREWELLS = (signal.SIGINT, signal.SIGTERM)
_RECOVERY = 1.0  # seconds before a job that has failed is begun anew


async def work(config: Config) -> None:
    """Do all jobs until the process is asked to end, and end what was begun."""
    stop, database, loop = asyncio.Event(), Database(config), asyncio.get_running_loop()
    for number in _FAREWELLS:
        loop.add_signal_handler(number, stop.set)
    retention = timedelta(seconds=config.audit_retention)
    jobs: Sequence[Job] = (
        Mailer(config, database),
        Eraser(config, database),
        Reminder(database),
        Chore(partial(audit.forget, database, retention)),
        Chore(partial(idempotency.forget, database)),
    )
    try:
        await run_all(jobs, stop)
    finally:
        for number in _FAREWELLS:
            loop.remove_signal_handler(number)
        await database.close()
        _log.info("the worker has stopped")


async def run_all(jobs: Sequence[Job], stop: asyncio.Event) -> None:
    """Do the jobs side by side; what happens to one does not concern the others."""
    await asyncio.gather(*(_keep_running(job, stop) for job in jobs))


async def _keep_running(job: Job, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await job.run(stop)
        except UNREACHABLE as error:
            _log.warning("%s waits for the database: %r", type(job).__name__, error)
            await pause(_RECOVERY, stop)
        except Exception:
            _log.exception("%s has failed and begins anew", type(job).__name__)
            await pause(_RECOVERY, stop)
