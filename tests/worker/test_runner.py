"""Jobs run concurrently and independently, and stop together."""

import asyncio
import signal

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from wxc.core.config import Config
from wxc.core.tasks import OnSuccess, pause
from wxc.health.metrics import WorkerMetrics
from wxc.worker import runner as worker


class FailingJob:
    """A job that counts its starts and fails at all but the last."""

    name = "counting"

    def __init__(self, *failures: Exception) -> None:
        self.started = 0
        self._failures = list(failures)

    async def run(self, stop: asyncio.Event, done: OnSuccess) -> None:
        self.started += 1
        if self._failures:
            raise self._failures.pop()
        done()
        await stop.wait()


@pytest.fixture
def metrics(app: FastAPI) -> WorkerMetrics:
    return WorkerMetrics(app.state.services.database)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ZeroDivisionError(), "job counting has failed and restarts"),
        (OperationalError("", {}, ConnectionError()), "job counting waits for the database"),
    ],
    ids=["bug", "outage"],
)
async def test_failed_job_restarts_and_does_not_stop_the_others(
    failure: Exception,
    message: str,
    metrics: WorkerMetrics,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker, "_RESTART_DELAY", 0.001)
    failing, other, stop = FailingJob(failure, failure), FailingJob(), asyncio.Event()
    running = asyncio.create_task(worker.run_all((failing, other), stop, metrics))
    await asyncio.sleep(0.1)

    assert (failing.started, other.started) == (3, 1)
    assert caplog.text.count(message) == 2
    assert metrics.registry.get_sample_value("wxc_job_failures_total", {"task": "counting"}) == 2
    stop.set()
    await asyncio.wait_for(running, 1)


async def test_failed_job_does_not_delay_shutdown(
    metrics: WorkerMetrics,
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run_all((FailingJob(ZeroDivisionError()),), stop, metrics))
    await asyncio.sleep(0.01)
    stop.set()

    await asyncio.wait_for(running, 0.5)


async def test_worker_stops_on_sigterm(
    config: Config, fresh_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    changed = {"database_url": fresh_database_url, "metrics_port": 9100}
    config = config.model_copy(update=changed)
    asyncio.get_running_loop().call_later(0.3, signal.raise_signal, signal.SIGTERM)

    await asyncio.wait_for(worker.run_worker(config), 5)

    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert "the worker has stopped" in caplog.text
    assert "has failed" not in caplog.text


async def test_pause_ends_when_stop_is_set() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, stop.set)

    await asyncio.wait_for(pause(60, stop), 1)
    await pause(0.001, asyncio.Event())
