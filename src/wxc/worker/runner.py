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
from wxc.worker.account_deletion import AccountPurger
from wxc.worker.exchange_reminders import ExchangeReminder
from wxc.worker.mail_delivery import MailSender
from wxc.worker.periodic_task import Job, PeriodicTask

_log = logging.getLogger("wxc.worker")
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_RESTART_DELAY = 1.0  # seconds, after a job has failed


async def run_worker(config: Config) -> None:
    """Run all jobs until a stop signal; each finishes its current round."""
    stop, database, loop = asyncio.Event(), Database(config), asyncio.get_running_loop()
    for signal_number in _STOP_SIGNALS:
        loop.add_signal_handler(signal_number, stop.set)
    retention = timedelta(seconds=config.audit_retention)
    metrics = WorkerMetrics(database)
    jobs: Sequence[Job] = (
        MailSender(config, database),
        AccountPurger(config, database),
        ExchangeReminder(database),
        PeriodicTask("audit", partial(audit.delete_expired, database, retention)),
        PeriodicTask("idempotency", partial(idempotency.purge_expired, database)),
        *([metrics] if config.metrics_port is not None else []),
    )
    try:
        await run_all(jobs, stop, metrics)
    finally:
        for signal_number in _STOP_SIGNALS:
            loop.remove_signal_handler(signal_number)
        await database.close()
        _log.info("the worker has stopped")


async def run_all(jobs: Sequence[Job], stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    """Run the jobs concurrently; a failed job is restarted and does not affect the others."""
    metrics.register_jobs([job.name for job in jobs])
    await asyncio.gather(*(_supervise(job, stop, metrics) for job in jobs))


async def _supervise(job: Job, stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    while not stop.is_set():
        try:
            await job.run(stop, partial(metrics.record_success, job.name))
        except UNAVAILABLE_ERRORS as error:
            _log.warning("job %s waits for the database: %r", job.name, error)
            await _record_failure_and_wait(job, stop, metrics)
        except Exception:
            _log.exception("job %s has failed and restarts", job.name)
            await _record_failure_and_wait(job, stop, metrics)


async def _record_failure_and_wait(job: Job, stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    metrics.record_failure(job.name)
    await pause(_RESTART_DELAY, stop)
