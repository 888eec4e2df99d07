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
from wxc.operations.metrics import WorkerMetrics

_log = logging.getLogger("wxc.worker")
_FAREWELLS = (signal.SIGINT, signal.SIGTERM)
_RECOVERY = 1.0  # seconds before a job that has failed is begun anew


async def work(config: Config) -> None:
    """Do all jobs until the process is asked to end, and end what was begun."""
    stop, database, loop = asyncio.Event(), Database(config), asyncio.get_running_loop()
    for number in _FAREWELLS:
        loop.add_signal_handler(number, stop.set)
    retention = timedelta(seconds=config.audit_retention)
    metrics = WorkerMetrics(database)
    jobs: Sequence[Job] = (
        Mailer(config, database),
        Eraser(config, database),
        Reminder(database),
        Chore("audit", partial(audit.forget, database, retention)),
        Chore("idempotency", partial(idempotency.purge_expired, database)),
        *([metrics] if config.metrics_port is not None else []),
    )
    try:
        await run_all(jobs, stop, metrics)
    finally:
        for number in _FAREWELLS:
            loop.remove_signal_handler(number)
        await database.close()
        _log.info("the worker has stopped")


async def run_all(jobs: Sequence[Job], stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    """Do the jobs side by side; what happens to one does not concern the others."""
    metrics.expect([job.name for job in jobs])
    await asyncio.gather(*(_keep_running(job, stop, metrics) for job in jobs))


async def _keep_running(job: Job, stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    while not stop.is_set():
        try:
            await job.run(stop, partial(metrics.has_done, job.name))
        except UNREACHABLE as error:
            _log.warning("the job of %s waits for the database: %r", job.name, error)
            await _recover(job, stop, metrics)
        except Exception:
            _log.exception("the job of %s has failed and begins anew", job.name)
            await _recover(job, stop, metrics)


async def _recover(job: Job, stop: asyncio.Event, metrics: WorkerMetrics) -> None:
    metrics.has_failed(job.name)
    await pause(_RECOVERY, stop)
