"""`wxc worker`: the background jobs, concurrently in one process.

A later feature adds its job to the tuple in `work`.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from wxc.core.config import Config
from wxc.core.tasks import pause
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.health.metrics import WorkerMetrics
from wxc.idempotency import service as idempotency
from wxc.moderation.audit import service as audit
from wxc.worker.account_deletion import Eraser
from wxc.worker.exchange_reminders import Reminder
from wxc.worker.mail_delivery import Worker as Mailer
from wxc.worker.periodic_task import Job, PeriodicTask

_log = logging.getLogger("wxc.worker")
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_RESTART_DELAY = 1.0  # seconds, after a job has failed


async def work(config: Config) -> None:
    """Run all jobs until the process gets a stop signal; each finishes what it has begun."""
    stop, database, loop = asyncio.Event(), Database(config), asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    retention = timedelta(seconds=config.audit_retention)
    metrics = WorkerMetrics(database)
    jobs: Sequence[Job] = (
        Mailer(config, database),
        Eraser(config, database),
        Reminder(database),
        PeriodicTask("audit", partial(audit.forget, database, retention)),
        PeriodicTask("idempotency", partial(idempotency.purge_expired, database)),
        *([metrics] if config.metrics_port is not None else []),
    )
    try:
        await run_all(jobs, stop, metrics)
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)
        await database.close()
        _log.info("the worker has stopped")


async def run_all(jobs: Sequence[Job], stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    """Run the jobs concurrently; one that fails is restarted and does not affect the others."""
    metrics.expect([job.name for job in jobs])
    await asyncio.gather(*(_keep_running(job, stop, metrics) for job in jobs))


async def _keep_running(job: Job, stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    while not stop.is_set():
        try:
            await job.run(stop, partial(metrics.has_done, job.name))
        except UNAVAILABLE_ERRORS as error:
            _log.warning("the job of %s waits for the database: %r", job.name, error)
            await _recover(job, stop, metrics)
        except Exception:
            _log.exception("the job of %s has failed and begins anew", job.name)
            await _recover(job, stop, metrics)


async def _recover(job: Job, stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    metrics.has_failed(job.name)
    await pause(_RESTART_DELAY, stop)
